using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class ETagsOnSqlite(SqliteTestDatabase database) : ETagTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ETagsOnPostgres(PostgresTestDatabase database) : ETagTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Entity tags of single reads, and changes with <c>If-Match</c>.</summary>
public abstract class ETagTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Results = "/api/v1/checks/results";

    [Fact]
    public async Task Single_reads_have_an_ETag_that_changes_with_the_content()
    {
        await Register();
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "completed" });
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x" });
        await Client.PostJson(
            "/api/v1/checks/results", new { id = Name, pipeline_id = Name, check_id = Name, status = "pass", dataset = $"{Name}.a" });
        foreach (var path in new[] { "pipelines", "runs", "checks", "checks/results" })
        {
            var tag = (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}")).Headers.ETag!.ToString();

            var same = await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}", null, ("If-None-Match", tag));
            Assert.Equal((HttpStatusCode.NotModified, 0), (same.StatusCode, (await same.Content.ReadAsByteArrayAsync(Ct)).Length));
            Assert.Equal(tag, same.Headers.ETag!.ToString());
            Assert.Equal(HttpStatusCode.NotModified,
                (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}", null, ("If-None-Match", $"\"x\", W/{tag}"))).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}", null, ("If-None-Match", "\"x\"")))
                .StatusCode);
        }

        var before = (await Send(HttpMethod.Get, $"/api/v1/runs/{Name}")).Headers.ETag!.ToString();
        await Client.PostJson(Results, new { pipeline_id = Name, check_id = "c", run_id = Name, status = "pass" });
        Assert.NotEqual(before, (await Send(HttpMethod.Get, $"/api/v1/runs/{Name}")).Headers.ETag!.ToString());
    }

    [Fact]
    public async Task If_Match_lets_one_of_two_writers_win()
    {
        await Register();
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x" });
        await Client.PostJson("/api/v1/connections/", new { id = Name, type = "postgres", config = new { host = "h" } });
        foreach (var (path, body) in new[] {
            ("checks", """{"kind":"y"}"""), ("connections", """{"type":"postgres","config":{"host":"h2"}}""") })
        {
            var tag = (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}")).Headers.ETag!.ToString();

            Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Put, $"/api/v1/{path}/{Name}", body, ("If-Match", tag))).StatusCode);
            await (await Send(HttpMethod.Put, $"/api/v1/{path}/{Name}", body, ("If-Match", tag))).Problem(412, "precondition_failed");
            await (await Send(HttpMethod.Delete, $"/api/v1/{path}/{Name}", null, ("If-Match", tag))).Problem(412, "precondition_failed");
            Assert.Equal(HttpStatusCode.NoContent, (await Send(HttpMethod.Delete, $"/api/v1/{path}/{Name}", null, ("If-Match", "*")))
                .StatusCode);
        }

        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "running" });
        await (await Send(HttpMethod.Put, $"/api/v1/runs/{Name}/stages/a", """{"status":"failed"}""", ("If-Match", "\"old\"")))
            .Problem(412, "precondition_failed");
        await (await Send(HttpMethod.Delete, $"/api/v1/pipelines/{Name}", null, ("If-Match", "\"old\"")))
            .Problem(412, "precondition_failed");
        var weak = "W/" + (await Send(HttpMethod.Get, $"/api/v1/pipelines/{Name}")).Headers.ETag;
        await (await Send(HttpMethod.Delete, $"/api/v1/pipelines/{Name}", null, ("If-Match", weak))).Problem(412, "precondition_failed");
        await (await Send(HttpMethod.Patch, $"/api/v1/runs/{Name}", """{"status":"failed"}""", ("If-Match", "\"old\"")))
            .Problem(412, "precondition_failed");
        Assert.Equal("running", (await Client.GetJson($"/api/v1/runs/{Name}")).GetProperty("status").GetString());
    }

    private Task<HttpResponseMessage> Register() => Client.PostJson("/api/v1/pipelines/", new { name = Name });
}
