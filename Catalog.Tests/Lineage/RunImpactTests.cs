using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class RunImpactOnSqlite(SqliteTestDatabase database) : RunImpactTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunImpactOnPostgres(PostgresTestDatabase database) : RunImpactTests(database), IClassFixture<PostgresTestDatabase>;

public abstract class RunImpactTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task The_impact_of_a_run_has_what_depends_on_the_outputs_of_its_pipeline()
    {
        using var client = await App.Organization(Name);
        await Register(client, "load", "ann", ("raw", "a"), ("raw", "b"), ("a", "c"));
        await Register(client, "mart", "bob", ("b", "d"), ("c", "e"), ("d", "a"));
        await Register(client, "report", "eve", ("e", "f"));
        await Register(client, "other", "dan", ("raw", "x"));
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "load", status = "failed" });
        await client.PostJson(
            "/api/v1/checks/results", new { pipeline_id = "report", check_id = "k", status = "fail", message = "empty" });

        var impact = await client.GetJson("/api/v1/runs/r/impact");

        Assert.Equal(("r", "load", "failed", false),
            (impact.GetProperty("run_id").GetString(), impact.GetProperty("pipeline_id").GetString(),
            impact.GetProperty("status").GetString(), impact.GetProperty("truncated").GetBoolean()));
        Assert.Equal(["a", "b", "c"], impact.GetProperty("outputs").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal(["d1", "e1", "f2"], impact.GetProperty("datasets").EnumerateArray().Select(node =>
            node.GetProperty("id").GetString() + node.GetProperty("depth").GetInt32()));
        Assert.Equal(
            ["mart", "report"], impact.GetProperty("pipelines").EnumerateArray().Select(node => node.GetProperty("id").GetString()));
        Assert.Equal(["bob", "eve"], impact.GetProperty("owners").EnumerateArray().Select(owner => owner.GetString()));
        var failure = impact.GetProperty("pipelines")[1].GetProperty("open_failures")[0];
        Assert.Equal(("k", "empty"), (failure.GetProperty("check_id").GetString(), failure.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task A_run_of_a_pipeline_without_lineage_affects_nothing()
    {
        using var client = await App.Organization(Name);
        await Register(client, "alone", "ann");
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "alone", status = "failed" });

        var impact = await client.GetJson("/api/v1/runs/r/impact");

        Assert.All(
            new[] { "outputs", "datasets", "pipelines", "owners" }, name => Assert.Equal(0, impact.GetProperty(name).GetArrayLength()));
        await (await client.GetAsync("/api/v1/runs/unknown/impact", Ct)).Problem(404, "not_found");
    }

    private static async Task Register(HttpClient client, string name, string owner, params (string From, string To)[] edges) =>
        Assert.Equal(201, (int)(await client.PostJson(
            "/api/v1/pipelines/", new { name, owner, edges = edges.Select(edge => new { from = edge.From, to = edge.To }) })).StatusCode);
}
