using Catalog.Tests.Support;

namespace Catalog.Tests.Marquez;

[Trait("Category", "Fast")]
public sealed class MarquezErrorsOnSqlite(SqliteTestDatabase database) : MarquezErrorTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class MarquezErrorsOnPostgres(PostgresTestDatabase database) : MarquezErrorTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>What Marquez's routes refuse, and what other organizations see of them.</summary>
public abstract class MarquezErrorTests(TestDatabase database) : MarquezSteps(database)
{
    [Theory]
    [InlineData("/jobs?limit=0")]
    [InlineData("/jobs?limit=201")]
    [InlineData("/jobs?limit=x")]
    [InlineData("/jobs?offset=-1")]
    [InlineData("/jobs?offset=10001")]
    [InlineData("/jobs?lastRunStates=DONE")]
    [InlineData("/namespaces/x/datasets?limit=99999999999")]
    [InlineData("/namespaces/x/jobs/x/runs?limit=-1")]
    [InlineData("/lineage?nodeId=")]
    [InlineData("/lineage?nodeId=x")]
    [InlineData("/lineage?nodeId=job:")]
    [InlineData("/lineage?nodeId=job:x")]
    [InlineData("/lineage?nodeId=run:x:y")]
    [InlineData("/lineage?nodeId=datasetField:x:y:z")]
    [InlineData("/lineage?nodeId=job:x:y&depth=101")]
    [InlineData("/lineage?nodeId=job:x:y%23d46e465b-d358-4d32-83d4-df660ff614dd")]
    [InlineData("/column-lineage")]
    [InlineData("/column-lineage/?nodeId=job:x:y")]
    [InlineData("/column-lineage?nodeId=datasetField:x:y:")]
    [InlineData("/events/lineage?before=yesterday")]
    [InlineData("/events/lineage?sortDirection=up")]
    [InlineData("/search?sort=NAME&limit=10")]
    [InlineData("/search?q=x&sort=size")]
    [InlineData("/search?q=x&filter=run")]
    [InlineData("/stats/jobs")]
    [InlineData("/stats/jobs?period=YEAR")]
    [InlineData("/stats/lineage-events?period=WEEK&timezone=Nowhere")]
    [InlineData("/jobs/runs/x/facets")]
    [InlineData("/jobs/runs/x/facets?type=dataset")]
    public async Task Wrong_parameters_are_refused_in_Marquezs_shape(string path) =>
        await AssertError(await Client.GetAsync(Api + path, Ct), 400);

    [Theory]
    [InlineData("/namespaces/nowhere")]
    [InlineData("/namespaces/nowhere/jobs/x")]
    [InlineData("/namespaces/nowhere/jobs/x/runs")]
    [InlineData("/namespaces/nowhere/jobs/x/versions")]
    [InlineData("/namespaces/nowhere/datasets/x")]
    [InlineData("/namespaces/nowhere/datasets/x/versions")]
    [InlineData("/namespaces/nowhere/datasets/x/versions/d46e465b-d358-4d32-83d4-df660ff614dd")]
    [InlineData("/jobs/runs/nowhere")]
    [InlineData("/jobs/runs/nowhere/facets?type=run")]
    [InlineData("/lineage?nodeId=job:nowhere:x")]
    [InlineData("/lineage?nodeId=dataset:nowhere:x")]
    [InlineData("/column-lineage?nodeId=dataset:nowhere:x")]
    public async Task What_does_not_exist_is_404_in_Marquezs_shape(string path) =>
        await AssertError(await Client.GetAsync(Api + path, Ct), 404);

    [Theory]
    [InlineData("PUT", "/tags/x")]
    [InlineData("PUT", "/namespaces/x")]
    [InlineData("DELETE", "/namespaces/x/jobs/y")]
    [InlineData("DELETE", "/namespaces/x/datasets/y")]
    [InlineData("POST", "/namespaces/x/jobs/y/tags/z")]
    [InlineData("DELETE", "/namespaces/x/datasets/y/tags/z")]
    [InlineData("POST", "/namespaces/x/datasets/y/fields/f/tags/z")]
    [InlineData("POST", "/jobs?runState=FAILED")]
    public async Task Writes_are_405_in_Marquezs_shape(string method, string path) =>
        await AssertError(await Send(new HttpMethod(method), Api + path, "{}"), 405);

    [Fact]
    public async Task Another_organization_sees_nothing_and_without_a_key_nothing_is_answered()
    {
        await PostAll();
        using var other = await App.Organization(Name, "self_hosted");
        using var anonymous = App.Anonymous();
        string[] lists =
        [
            "/jobs", $"/namespaces/{Jobs}/jobs", "/namespaces", $"/namespaces/{Uri.EscapeDataString(Warehouse)}/datasets",
            "/tags", "/events/lineage",
            $"/search?q={Name}&sort=NAME", "/stats/lineage-events?period=DAY", "/stats/jobs?period=DAY", "/stats/sources?period=WEEK",
        ];
        string[] single =
        [
            $"/namespaces/{Jobs}", $"/namespaces/{Jobs}/jobs/daily.load", $"/namespaces/{Jobs}/jobs/daily.load/runs",
            $"/jobs/runs/{Name}-1",
            $"/jobs/runs/{Name}-1/facets?type=run", $"/namespaces/{Uri.EscapeDataString(Warehouse)}/datasets/{Name}.orders",
            $"/namespaces/{Uri.EscapeDataString(Warehouse)}/datasets/{Name}.orders/versions", $"/lineage?nodeId=job:{Jobs}:daily.load",
            $"/column-lineage?nodeId={Uri.EscapeDataString($"dataset:{Warehouse}:{Name}.orders")}",
        ];

        foreach (var path in lists)
        {
            var text = (await other.GetJson(Api + path)).GetRawText();
            Assert.DoesNotContain(Name, text, StringComparison.Ordinal);
            Assert.DoesNotMatch("\"(count|start|fail|totalCount)\":[1-9]", text);
        }

        foreach (var path in single)
        {
            await AssertError(await other.GetAsync(Api + path, Ct), 404);
        }

        foreach (var path in lists.Concat(single))
        {
            await AssertError(await anonymous.GetAsync(Api + path, Ct), 401);
        }
    }

    private static async Task AssertError(HttpResponseMessage answer, int status)
    {
        var body = await answer.Json();

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(["code", "message"], Members(body));
        Assert.Equal(status, body.GetProperty("code").GetInt32());
        Assert.NotEqual("", Text(body, "message"));
    }
}
