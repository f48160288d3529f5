using System.Text.Json.Nodes;

namespace Catalog.Tests.Dbt;

/// <summary>
/// Artifacts of a small project: a source, an ephemeral model, a model of both, a test of each outcome, an exposure.
/// </summary>
internal static class DbtExample
{
    public const string Generated = "2026-03-01T10:00:30.5Z";

    public static JsonObject Manifest(string project) => Parse("""
        {
          "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "dbt_version": "1.12.0",
            "adapter_type": "Postgres", "project_name": "PROJECT", "env": {"DBT_ENV_CUSTOM_ENV_X": "hidden-env"}},
          "nodes": {
            "model.shop.clean": {"resource_type": "model", "package_name": "shop", "database": "db", "schema": "mart", "alias": "clean",
              "name": "clean", "config": {"materialized": "ephemeral"}, "depends_on": {"nodes": ["source.shop.raw.orders"]}},
            "model.shop.sales": {"resource_type": "model", "package_name": "shop", "database": "db", "schema": "mart", "alias": "sales",
              "name": "sales_v2", "config": {"materialized": "incremental"}, "description": "Sales by day", "tags": ["gold", "größe"],
              "meta": {"owner": "finance", "token": "hidden-meta"}, "raw_code": "select hidden_sql",
              "columns": {"day": {"name": "day", "description": "The day", "data_type": null}},
              "depends_on": {"macros": ["macro.shop.m"], "nodes": ["model.shop.clean", "seed.shop.rates"]}},
            "seed.shop.rates": {"resource_type": "seed", "package_name": "shop", "schema": "mart", "name": "rates",
              "config": {"materialized": "seed"}, "depends_on": {"macros": []}},
            "test.shop.not_null_sales_day.1": {"resource_type": "test", "name": "not_null_sales_day", "column_name": "day",
              "attached_node": "model.shop.sales", "test_metadata": {"name": "not_null", "kwargs": {"column_name": "day"}},
              "config": {"severity": "ERROR", "error_if": "!= 0", "warn_if": "!= 0"}, "depends_on": {"nodes": ["model.shop.sales"]}},
            "test.shop.relation.2": {"resource_type": "test", "name": "relation", "file_key_name": "models.sales",
              "config": {"severity": "warn"}, "depends_on": {"nodes": ["seed.shop.rates", "model.shop.sales"]}},
            "test.shop.broken.3": {"resource_type": "test", "name": "broken", "config": {"severity": "warn"},
              "depends_on": {"nodes": ["seed.shop.rates"]}},
            "test.shop.skipped.4": {"resource_type": "test", "name": "skipped", "depends_on": {"nodes": ["seed.shop.rates"]}},
            "analysis.shop.a": {"resource_type": "analysis", "schema": "mart", "name": "a", "depends_on": {"nodes": ["model.shop.sales"]}}
          },
          "sources": {
            "source.shop.raw.orders": {"resource_type": "source", "package_name": "shop", "database": "db", "schema": "raw",
              "identifier": "orders_2026", "name": "orders"}
          },
          "exposures": {
            "exposure.shop.weekly": {"resource_type": "exposure", "name": "weekly", "owner": {"name": null, "email": "team"},
              "description": "Weekly report", "depends_on": {"nodes": ["model.shop.sales"]}}
          },
          "metrics": {"metric.shop.revenue": {}}, "semantic_models": {},
          "macros": {"macro.shop.m": {"macro_sql": "hidden_macro"}}
        }
        """.Replace("PROJECT", project, StringComparison.Ordinal));

    public static JsonObject RunResults(string invocation, string which = "build") => Parse("""
        {
          "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "dbt_version": "1.12.0",
            "generated_at": "GENERATED", "invocation_id": "INVOCATION"},
          "elapsed_time": 30.5,
          "args": {"which": "WHICH", "target": "prod", "vars": {"password": "hidden-var"}},
          "results": [
            {"unique_id": "seed.shop.rates", "status": "success", "execution_time": 1.5, "adapter_response": {"rows_affected": 3},
              "timing": [{"name": "compile", "started_at": "2026-03-01T10:00:01Z", "completed_at": "2026-03-01T10:00:02Z"},
                         {"name": "execute", "started_at": "2026-03-01T10:00:02Z", "completed_at": "2026-03-01T10:00:03Z"}]},
            {"unique_id": "model.shop.sales", "status": "success", "execution_time": 1, "adapter_response": {"rows_affected": 40},
              "timing": [{"name": "execute", "started_at": "2026-03-01T10:00:05Z", "completed_at": "2026-03-01T10:00:07Z"}]},
            {"unique_id": "test.shop.not_null_sales_day.1", "status": "fail", "failures": 2, "execution_time": 0.25,
              "message": "Got 2 results, configured to fail if != 0",
              "timing": [{"name": "execute", "started_at": "2026-03-01T10:00:08Z", "completed_at": "2026-03-01T10:00:09Z"}]},
            {"unique_id": "test.shop.relation.2", "status": "warn", "message": "Got 7 results, configured to warn if != 0", "timing": []},
            {"unique_id": "test.shop.broken.3", "status": "error", "message": "no such column", "failures": null, "timing": []},
            {"unique_id": "test.shop.skipped.4", "status": "skipped", "timing": []},
            {"unique_id": "", "status": "success", "timing": []}
          ]
        }
        """.Replace("GENERATED", Generated, StringComparison.Ordinal).Replace("INVOCATION", invocation, StringComparison.Ordinal)
        .Replace("WHICH", which, StringComparison.Ordinal));

    public static JsonObject Sources(string invocation) => Parse("""
        {
          "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json", "generated_at": "2026-03-01T11:00:00Z",
            "invocation_id": "INVOCATION"},
          "results": [
            {"unique_id": "source.shop.raw.orders", "status": "error", "max_loaded_at_time_ago_in_s": 7200.5,
              "snapshotted_at": "2026-03-01T10:59:00Z", "criteria": {"error_after": {"count": 1, "period": "hour"}}},
            {"unique_id": "source.shop.raw.orders", "status": "pass"},
            {"unique_id": "source.shop.raw.gone", "status": "runtime error", "error": "no such table"}
          ]
        }
        """.Replace("INVOCATION", invocation, StringComparison.Ordinal));

    public static JsonObject Catalog(string invocation) => Parse("""
        {
          "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json", "invocation_id": "INVOCATION"},
          "nodes": {"model.shop.sales": {
            "columns": {"AMOUNT": {"name": "AMOUNT", "type": "NUMBER", "index": 2}, "DAY": {"name": "DAY", "type": "DATE", "index": 1}},
            "stats": {"num_rows": {"id": "num_rows", "value": 40.0}}}},
          "sources": {}
        }
        """.Replace("INVOCATION", invocation, StringComparison.Ordinal));

    public static JsonObject Upload(string project, string invocation, string which = "build") => new()
    {
        ["manifest"] = Manifest(project),
        ["run_results"] = RunResults(invocation, which),
    };

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();
}
