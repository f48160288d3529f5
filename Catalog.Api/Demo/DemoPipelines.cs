using System.Text.Json.Nodes;
using Catalog.Data.Checks;

namespace Catalog.Api.Demo;

/// <summary>The pipelines of the data platform of a web shop, from its source systems to its reports.</summary>
internal static class DemoPipelines
{
    private static readonly string[] Ingest = ["extract", "load", "verify"];
    private static readonly string[] Build = ["read_inputs", "transform", "publish"];
    private static readonly string[] Export = ["select_rows", "transform", "upload"];

    public static IReadOnlyList<DemoPipeline> All { get; } = [.. Sources(), .. Layers(), .. Products()];

    private static IEnumerable<DemoPipeline> Sources() =>
    [
        new("stream_web_events", null, "clickstream", 1.9, 18_000, "web.page_views, web.clicks > raw.web_events")
        {
            Description = "Reads page views and clicks from the event log in small batches, all day.",
            Tags = ["web", "streaming"],
            Stages = ["poll", "decode", "deduplicate", "enrich", "write", "commit"],
        },
        new("ingest_orders", "5 * * * *", "platform", 4, 1_150, "shop.orders > raw.orders\nshop.order_lines > raw.order_lines")
        {
            Description = "Copies new and changed orders from the shop's database.",
            Tags = ["shop", "ingest", "tier-1"],
            Stages = Ingest,
            Versions = [31, 11],
            Checks =
            [
                new("orders_arrived", "row_count", "raw.orders", 1_150, 0.12) { IsWeekly = true, Fail = (200, null), Warn = (350, null) },
                new("orders_fresh", "freshness", "raw.orders", 420, 0.4)
                {
                    Column = "updated_at", Severity = CheckSeverity.Warn, Warn = (null, 1_800), Fail = (null, 3_600),
                },
            ],
        },
        new("ingest_carts", "10 */2 * * *", "platform", 6, 3_400, "shop.carts > raw.carts")
        {
            Description = "Copies carts, also those that were never ordered.",
            Tags = ["shop", "ingest"],
            Stages = Ingest,
            Checks =
            [
                new("carts_have_a_session", "not_null", "raw.carts", 9, 0.5)
                {
                    Column = "session_id", Severity = CheckSeverity.Warn, Fail = (null, 60), Trend = DemoTrend.Flapping,
                },
            ],
        },
        new("ingest_inventory", "20 */3 * * *", "supply-chain", 9, 8_200, "erp.inventory > raw.inventory\nerp.warehouses > raw.warehouses")
        {
            Description = "Copies the stock of all warehouses.",
            Tags = ["erp", "ingest", "tier-1"],
            Stages = Ingest,
            Checks = [new("inventory_complete", "row_count", "raw.inventory", 8_200, 0.01) { Fail = (7_500, null), Warn = (8_000, null) }],
        },
        new("ingest_payments", "40 */6 * * *", "finance-data", 12, 5_900,
            "payments.charges > raw.charges\npayments.refunds > raw.refunds\npayments.payouts > raw.payouts")
        {
            Description = "Reads charges, refunds and payouts from the payment provider.",
            Tags = ["finance", "ingest", "tier-1", "pii"],
            Stages = ["authenticate", .. Ingest],
            Versions = [31, 16, 4],
            Checks =
            [
                new("charges_arrived", "row_count", "raw.charges", 5_900, 0.1)
                {
                    IsWeekly = true, Fail = (2_000, null), Warn = (3_200, null),
                },
                new("charge_id_unique", "unique", "raw.charges", 0, 0) { Column = "id", Fail = (null, 0) },
            ],
        },
        new("ingest_customers", "0 1 * * *", "platform", 8, 1_900, "shop.customers > raw.customers\nshop.addresses > raw.addresses")
        {
            Description = "Copies customers and their addresses every night.",
            Tags = ["shop", "ingest", "pii"],
            Stages = Ingest,
            Checks = [new("customers_arrived", "row_count", "raw.customers", 1_900, 0.08) { IsWeekly = true, Fail = (600, null) }],
        },
        new("ingest_products", "15 1 * * *", "platform", 5, 24_000, "shop.products, shop.prices > raw.products")
        {
            Description = "Copies the catalogue of products with its prices.",
            Tags = ["shop", "ingest"],
            Stages = Ingest,
        },
        new("ingest_support", "30 1 * * *", "customer-care", 11, 740, "crm.tickets > raw.tickets\ncrm.contacts > raw.contacts")
        {
            Description = "Reads support tickets and contacts.",
            Tags = ["crm", "ingest", "pii"],
            Stages = ["authenticate", .. Ingest],
        },
        new("ingest_ads", "45 1 * * *", "marketing-data", 14, 12_600, "ads.campaigns, ads.clicks > raw.ad_clicks")
        {
            Description = "Reads campaigns, clicks and costs of paid advertising.",
            Tags = ["marketing", "ingest"],
            Stages = ["authenticate", .. Ingest],
            FailsSinceDays = 2.2,
        },
        new("ingest_suppliers", "0 3 * * 1", "supply-chain", 7, 310,
            "erp.suppliers > raw.suppliers\nerp.purchase_orders > raw.purchase_orders")
        {
            Description = "Copies suppliers and open purchase orders once a week.",
            Tags = ["erp", "ingest"],
            Stages = Ingest,
        },
        new("ingest_fx_rates", "0 15 * * 1-5", "finance-data", 1, 32, "fx.rates > raw.fx_rates")
        {
            Description = "Reads the reference rates of the central bank on working days.",
            Tags = ["finance", "ingest"],
            Stages = Ingest,
        },
    ];

    private static IEnumerable<DemoPipeline> Layers() =>
    [
        new("stage_orders", "0 2 * * *", "platform", 13, 27_500,
            "raw.orders, raw.order_lines > staging.orders\nraw.carts > staging.carts")
        {
            Description = "Cleans orders and carts: one row for each, with types, time zones and currencies.",
            Tags = ["staging", "tier-1"],
            Stages = Build,
            Versions = [31, 22, 9],
            Checks =
            [
                new("staged_orders", "row_count", "staging.orders", 27_500, 0.06)
                {
                    IsWeekly = true, Fail = (9_000, null), Warn = (14_000, null),
                },
                new("orders_without_lines", "relationships", "staging.orders", 4, 0.8) { Severity = CheckSeverity.Warn, Warn = (null, 20) },
            ],
        },
        new("stage_customers", "10 2 * * *", "platform", 7, 1_900, "raw.customers, raw.addresses, raw.contacts > staging.customers")
        {
            Description = "Merges customers of the shop with their contacts.",
            Tags = ["staging", "pii"],
            Stages = Build,
        },
        new("stage_payments", "20 2 * * *", "finance-data", 9, 23_000,
            "raw.charges, raw.refunds, raw.payouts, raw.fx_rates > staging.payments")
        {
            Description = "Brings charges, refunds and payouts to one currency.",
            Tags = ["staging", "finance", "tier-1"],
            Stages = Build,
            Checks =
            [
                new("refunds_match_orders", "relationships", "staging.payments", 2, 1)
                {
                    Column = "order_id", Fail = (null, 50), Warn = (null, 15), Trend = DemoTrend.Failing,
                },
            ],
        },
        new("stage_sessions", "30 2 * * *", "clickstream", 21, 96_000, "raw.web_events > staging.sessions")
        {
            Description = "Groups web events into sessions.",
            Tags = ["staging", "web"],
            Stages = Build,
            Checks = [new("sessions_per_day", "row_count", "staging.sessions", 96_000, 0.07) { IsWeekly = true, Warn = (60_000, null) }],
        },
        new("stage_supply", "0 4 * * *", "supply-chain", 6, 8_200,
            "raw.inventory, raw.warehouses > staging.stock\nraw.suppliers, raw.purchase_orders > staging.supply")
        {
            Description = "Cleans stock, suppliers and purchase orders.",
            Tags = ["staging", "erp"],
            Stages = Build,
        },
        new("core_orders", "0 5 * * *", "analytics-engineering", 16, 27_400,
            "staging.orders, staging.payments > core.orders\nstaging.customers > core.customers\nraw.products > core.products")
        {
            Description = "Builds the tables that all reports read. The Catalog runs its checks on the warehouse file of this demo.",
            Tags = ["core", "tier-1"],
            Stages = ["read_inputs", "transform_customers", "transform_products", "transform_orders", "publish"],
            // The numbers are days before the start of the demo. Only the newest version has schedules of checks. The
            // schedules of an older version would be due as soon as the demo starts.
            Versions = [31, 19, 6, 0],
            Checks =
            [
                new("orders_present", "row_count", "core.orders", DemoWarehouse.Orders, 0.02)
                {
                    Table = "orders", Fail = (DemoWarehouse.Orders * 0.8, null), Schedule = "*/10 * * * *",
                },
                new("order_id_unique", "unique", "core.orders", 0, 0) { Table = "orders", Column = "id", Fail = (null, 0) },
                new("order_status_known", "accepted_values", "core.orders", 1, 0)
                {
                    Table = "orders", Column = "status", Warn = (null, 0), Fail = (null, 25), Trend = DemoTrend.Warning,
                    Parameters = new() { ["values"] = new JsonArray("new", "paid", "sent", "returned") }, Schedule = "*/10 * * * *",
                },
                new("customer_email_present", "not_null", "core.customers", DemoWarehouse.CustomersWithoutEmail, 0.1)
                {
                    Table = "customers", Column = "email", Severity = CheckSeverity.Warn, Warn = (null, 60),
                },
                new("order_has_a_customer", "relationships", "core.orders", 0, 0)
                {
                    Table = "orders", Column = "customer_id", Fail = (null, 0),
                    Parameters = new() { ["to_table"] = "customers", ["to_column"] = "id" },
                },
            ],
        },
        new("core_sessions", "30 5 * * *", "analytics-engineering", 18, 95_000,
            "staging.sessions, staging.carts > core.sessions\ncore.customers > core.sessions")
        {
            Description = "Connects sessions with customers and carts.",
            Tags = ["core", "web"],
            Stages = Build,
        },
        new("core_supply", "45 5 * * *", "analytics-engineering", 8, 8_100, "staging.stock, staging.supply, core.products > core.stock")
        {
            Description = "Stock of each product with what is ordered from suppliers.",
            Tags = ["core", "erp"],
            Stages = Build,
        },
    ];

    private static IEnumerable<DemoPipeline> Products() => DemoDataProducts.All(Build, Export);
}
