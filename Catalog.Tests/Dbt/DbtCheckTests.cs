using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;

namespace Catalog.Tests.Dbt;

public sealed class DbtChecksOnSqlite(SqliteTestDatabase database) : DbtCheckTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class DbtChecksOnPostgres(PostgresTestDatabase database) : DbtCheckTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The check definitions that a manifest of dbt gives.</summary>
public abstract class DbtCheckTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Tests_and_freshness_of_the_manifest_are_check_definitions()
    {
        using var client = await App.Organization(Name);
        await Post(client, Defined("d-1", "2026-03-01T10:00:00Z"));

        var items = await client.GetJson("/api/v1/checks/?pipeline_id=dbt%2Fshop");
        var checks = items.GetProperty("items").EnumerateArray().ToDictionary(item => Text(item, "id")!);

        Assert.Equal(
        [
            "freshness.source.shop.raw.orders", "test.shop.broken.3", "test.shop.not_null_sales_day.1", "test.shop.relation.2",
            "test.shop.skipped.4", "unit_test.shop.sales.adds",
        ], checks.Keys.Order(StringComparer.Ordinal));
        var generic = checks["test.shop.not_null_sales_day.1"];
        Assert.Equal(("not_null", "day", "error", "postgres/db.mart.sales", "reported"), (Text(generic, "kind"), Text(generic, "column"),
            Text(generic, "severity"), Text(generic, "dataset"), Text(generic, "pipeline_version")));
        Assert.Equal("!= 0", Text(generic.GetProperty("params"), "error_if"));
        Assert.False(generic.GetProperty("params").TryGetProperty("column_name", out _));
        Assert.Equal("fail", Text(generic.GetProperty("last_result"), "status"));
        var packaged = checks["test.shop.relation.2"];
        Assert.Equal(("dbt_utils.relation", "warn"), (Text(packaged, "kind"), Text(packaged, "severity")));
        Assert.Equal("""{"to":"ref('rates')"}""", packaged.GetProperty("params").GetRawText());
        Assert.Equal("dbt.singular_test", Text(checks["test.shop.broken.3"], "kind"));
        Assert.Equal(("dbt.unit_test", "postgres/db.mart.sales"),
            (Text(checks["unit_test.shop.sales.adds"], "kind"), Text(checks["unit_test.shop.sales.adds"], "dataset")));
        var freshness = checks["freshness.source.shop.raw.orders"];
        Assert.Equal(("dbt.source_freshness", "postgres/db.raw.orders_2026"), (Text(freshness, "kind"), Text(freshness, "dataset")));
        Assert.Contains("error_after", freshness.GetProperty("params").GetRawText());
    }

    [Theory]
    [InlineData("2026-03-02T10:00:00Z", 4)]
    [InlineData("2026-02-01T10:00:00Z", 6)]
    public async Task The_latest_invocation_decides_which_checks_exist(string at, int count)
    {
        using var client = await App.Organization(Name);
        await Post(client, Defined("d-2", "2026-03-01T10:00:00Z"));
        var other = Defined("d-3", at);
        var nodes = other["manifest"]!["nodes"]!.AsObject();
        nodes.Remove("test.shop.broken.3");
        nodes.Remove("test.shop.skipped.4");
        nodes["test.shop.relation.2"]!["config"]!["severity"] = "error";
        await Post(client, other);

        var items = await client.GetJson("/api/v1/checks/?pipeline_id=dbt%2Fshop");

        Assert.Equal(count, items.GetProperty("items").GetArrayLength());
        Assert.Equal(count == 4 ? "error" : "warn", items.GetProperty("items").EnumerateArray()
            .Where(item => Text(item, "id") == "test.shop.relation.2").Select(item => Text(item, "severity")).Single());
    }

    [Fact]
    public async Task A_project_without_checks_any_more_has_none_and_those_of_users_stay()
    {
        using var client = await App.Organization(Name);
        await Post(client, Defined("d-4", "2026-03-01T10:00:00Z"));
        using var posted = await client.PostAsJsonAsync("/api/v1/checks/",
            new { id = "own", pipeline_id = "dbt/shop", kind = "row_count", dataset = "x" }, Ct);
        Assert.Equal(HttpStatusCode.Created, posted.StatusCode);
        var empty = Defined("d-5", "2026-03-02T10:00:00Z");
        empty["manifest"]!["nodes"] = new JsonObject();
        empty["manifest"]!["sources"] = new JsonObject();
        empty["manifest"]!["unit_tests"] = new JsonObject();
        await Post(client, empty);
        await Post(client, Defined("d-6", "2026-03-01T12:00:00Z"));

        var items = await client.GetJson("/api/v1/checks/?pipeline_id=dbt%2Fshop");

        Assert.Equal("own", Text(Assert.Single(items.GetProperty("items").EnumerateArray()), "id"));
    }

    [Fact]
    public async Task A_check_of_dbt_is_not_executed_here()
    {
        using var client = await App.Organization(Name);
        await Post(client, Defined("d-7", "2026-03-01T10:00:00Z"));

        using var answer = await client.PostAsJsonAsync("/api/v1/checks/test.shop.broken.3/execute", new { }, Ct);

        await answer.Problem(409, "no_executable_checks");
        var item = await client.GetJson("/api/v1/checks/test.shop.broken.3");
        var results = await client.GetJson("/api/v1/checks/results?check_id=test.shop.broken.3");
        Assert.Equal("no such column", Text(results.GetProperty("items")[0], "message"));
        Assert.True(string.CompareOrdinal(Text(item, "created_at"), Text(item, "updated_at")) <= 0);
    }

    [Fact]
    public async Task The_version_of_reported_pipelines_cannot_be_registered()
    {
        using var client = await App.Organization(Name);
        using var answer = await client.PostAsJsonAsync("/api/v1/pipelines/", new { name = "dbt/shop", version = "reported" }, Ct);

        Assert.StartsWith("must not be reported", (await answer.Problem(422, "invalid")).GetProperty("errors").GetProperty("/version")[0]
            .GetString());
    }

    [Fact]
    public async Task Arguments_that_are_too_long_are_counted_and_the_others_are_kept()
    {
        using var client = await App.Organization(Name);
        var upload = Defined("d-8", "2026-03-01T10:00:00Z");
        var test = upload["manifest"]!["nodes"]!["test.shop.relation.2"]!;
        test["test_metadata"]!["kwargs"]!["values"] = new string('x', 70_000);
        test["test_metadata"]!["kwargs"]!["where"] = "argument";
        test["config"]!["where"] = "day > 1";
        await Post(client, upload);

        var item = await client.GetJson("/api/v1/checks/test.shop.relation.2");
        var facets = await client.GetJson("/api/v1/lineage/facets");

        Assert.Equal("""{"where":"day > 1","to":"ref('rates')"}""", item.GetProperty("params").GetRawText());
        Assert.Contains(facets.GetProperty("items").EnumerateArray(), facet => Text(facet, "facet") == "kwargs");
    }

    [Fact]
    public async Task Ids_that_a_path_cannot_contain_are_changed_or_refused()
    {
        using var client = await App.Organization(Name);
        var upload = Defined("d-9", "2026-03-01T10:00:00Z");
        upload["manifest"]!["metadata"]!["project_name"] = "a%2Fb";
        await Post(client, upload);
        var id = Text((await client.GetJson("/api/v1/pipelines/")).GetProperty("items")[0], "id")!;
        Assert.StartsWith("dbt/a/b~", id);
        Assert.Equal(id, Text(await client.GetJson($"/api/v1/pipelines/{Uri.EscapeDataString(id)}"), "id"));

        using var content = new StringContent(
            DbtExample.Upload("shop", "run%2fx").ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/api/v1/dbt/artifacts", content, Ct);
        await answer.Problem(422, "invalid");
    }

    private static async Task Post(HttpClient client, JsonObject upload)
    {
        using var content = new StringContent(upload.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/api/v1/dbt/artifacts", content, Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Ct));
    }

    private static JsonObject Defined(string invocation, string at)
    {
        var upload = DbtExample.Upload("shop", invocation);
        upload["run_results"]!["metadata"]!["generated_at"] = at;
        var manifest = upload["manifest"]!;
        manifest["nodes"]!["test.shop.relation.2"]!["test_metadata"] = JsonNode.Parse(
            """{"name": "relation", "namespace": "dbt_utils", "kwargs": {"model": "{{ get() }}", "column_name": "a", "to": "ref('rates')"} }""");
        manifest["sources"]!["source.shop.raw.orders"]!["freshness"] = JsonNode.Parse(
            """{"warn_after": {"count": null, "period": null}, "error_after": {"count": 1, "period": "hour"}, "filter": null}""");
        manifest["sources"]!["source.shop.raw.other"] = JsonNode.Parse(
            """{"name": "other", "freshness": {"warn_after": {"count": null}, "error_after": {"count": null} } }""");
        manifest["unit_tests"] = JsonNode.Parse(
            """{"unit_test.shop.sales.adds": {"name": "adds", "model": "sales", "depends_on": {"nodes": ["model.shop.sales"]} } }""");
        return upload;
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
