using Catalog.Data.Checks;

namespace Catalog.Api.Demo;

/// <summary>
/// The last layers of the demo: tables for analysis (marts), features of models, reports and exports.
/// </summary>
internal static class DemoDataProducts
{
    public static IEnumerable<DemoPipeline> All(string[] build, string[] export) =>
    [
        new("mart_sales", "0 6 * * *", "analytics-engineering", 12, 410,
            "core.orders, core.products > mart.daily_sales, mart.product_margin\nstaging.payments > mart.daily_sales")
        {
            Description = "Sales and margin for each day, channel and product.",
            Tags = ["mart", "finance", "tier-1"],
            Stages = build,
            Versions = [31, 13],
            Checks =
            [
                new("sales_of_yesterday", "sum", "mart.daily_sales", 182_000, 0.05)
                {
                    Column = "revenue", IsWeekly = true, Fail = (40_000, null), Warn = (90_000, null),
                },
                new("margin_in_range", "avg", "mart.product_margin", 0.34, 0.04)
                {
                    Column = "margin", Severity = CheckSeverity.Warn, Fail = (0.2, null), Warn = (0.29, null),
                },
            ],
        },
        new("mart_customers", "15 6 * * *", "analytics-engineering", 10, 61_000,
            "core.customers, core.orders > mart.customer_value\nraw.tickets, core.customers > mart.support_load")
        {
            Description = "Value of each customer, and how much support they need.",
            Tags = ["mart", "crm", "pii"],
            Stages = build,
            Checks = [new("value_distribution", "avg", "mart.customer_value", 146, 0.03) { Column = "value", Warn = (110, null) }],
        },
        new("mart_marketing", "30 6 * * *", "marketing-data", 9, 2_300,
            "raw.ad_clicks, core.sessions, core.orders > mart.marketing_return\ncore.sessions > mart.funnel")
        {
            Description = "Return of each campaign, and the steps from visit to order.",
            Tags = ["mart", "marketing"],
            Stages = build,
            Checks =
            [
                new("campaigns_with_cost", "distinct_count", "mart.marketing_return", 86, 0.05)
                {
                    Column = "campaign", Severity = CheckSeverity.Warn, Warn = (70, null), Fail = (40, null), Trend = DemoTrend.Warning,
                },
            ],
        },
        new("mart_supply", "45 6 * * *", "supply-chain", 5, 8_000, "core.stock, mart.daily_sales > mart.stock_cover")
        {
            Description = "How many days the stock of each product lasts.",
            Tags = ["mart", "erp"],
            Stages = build,
        },
        new("features_recommendations", "0 7 * * *", "machine-learning", 26, 210_000,
            "core.sessions, core.orders, core.products > features.recommendations\nmart.customer_value, mart.support_load > features.churn")
        {
            Description = "Features for recommendations and for the prediction of churn.",
            Tags = ["ml"],
            Stages = ["read_inputs", "join", "transform", "validate", "publish"],
            Versions = [31, 8],
            Checks = [new("features_complete", "row_count", "features.recommendations", 210_000, 0.02) { Fail = (150_000, null) }],
        },
        new("search_index", "30 7 * * *", "search", 7, 24_000, "core.products, core.stock > exports.search_index")
        {
            Description = "Sends products that are in stock to the search of the shop.",
            Tags = ["export", "tier-1"],
            Stages = export,
        },
        new("reports_board", "0 8 * * *", "analytics-engineering", 3, 64,
            "mart.daily_sales, mart.marketing_return, mart.stock_cover, mart.funnel > reports.board\nmart.product_margin > reports.board")
        {
            Description = "The figures that the board reads every morning.",
            Tags = ["report", "tier-1"],
            Stages = build,
        },
        new("newsletter_segments", "0 9 * * 1", "marketing-data", 6, 58_000,
            "features.churn, mart.customer_value > exports.newsletter_segments")
        {
            Description = "Segments of customers for the weekly newsletter.",
            Tags = ["export", "marketing", "pii"],
            Environment = "staging",
            Stages = export,
        },
        new("accounting_export", "30 3 * * *", "finance-data", 4, 5_600,
            "staging.payments, mart.daily_sales > reports.finance_close\nreports.finance_close > exports.accounting")
        {
            Description = "Hands the bookings of the day to the accounting system.",
            Tags = ["export", "finance"],
            Stages = export,
            StoppedDaysAgo = 3.1,
        },
    ];
}
