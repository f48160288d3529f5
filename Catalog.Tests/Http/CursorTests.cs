using Catalog.Data;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class CursorTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task A_cursor_of_another_list_and_a_changed_cursor_are_422()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "running" });
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x" });
        var cursors = new[] { "pipelines", "pipeline_versions", "runs", "run_events", "checks", "check_results", "check_history",
            "connections", "datasets" }
            .ToDictionary(list => list, list => new Cursor(DateTimeOffset.UnixEpoch, new string('a', 64)).ToText(list));
        var lists = new Dictionary<string, string>
        {
            ["pipelines"] = "pipelines/",
            ["pipeline_versions"] = $"pipelines/{Name}/versions",
            ["runs"] = "runs/",
            ["run_events"] = $"runs/{Name}/events",
            ["checks"] = "checks/",
            ["check_results"] = "checks/results",
            ["check_history"] = $"checks/{Name}/history",
            ["connections"] = "connections/",
            ["datasets"] = "datasets/",
        };
        foreach (var (list, path) in lists)
        {
            Assert.Equal(200, (int)(await Client.GetAsync($"/api/v1/{path}?cursor={cursors[list]}", Ct)).StatusCode);
            foreach (var wrong in cursors.Where(cursor => cursor.Key != list).Select(cursor => cursor.Value).Append(cursors[list] + "AAAA")
                .Append(cursors[list][4..]).Append("").Append("%00"))
            {
                await (await Client.GetAsync($"/api/v1/{path}?cursor={wrong}", Ct)).Problem(422, "invalid");
            }
        }
    }

    [Theory]
    [InlineData("run_events", "no digest", 200)]
    [InlineData("datasets", "no uuid", 200)]
    [InlineData("checks", "99:x", 200)]
    [InlineData("runs", "a\0b", 422)]
    public async Task A_forged_cursor_never_causes_a_5xx(string list, string id, int status)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "running" });
        var path = list == "run_events" ? $"runs/{Name}/events" : list + "/";

        Assert.Equal(
            status, (int)(await Client.GetAsync($"/api/v1/{path}?cursor={new Cursor(DateTimeOffset.UnixEpoch, id).ToText(list)}", Ct))
                .StatusCode);
    }

    [Theory]
    [InlineData("a%252Fb", 422)]
    [InlineData("a%252fb", 422)]
    [InlineData("%FF", 422)]
    [InlineData("a%2Fb", 404)]
    [InlineData("%25FF", 404)]
    public async Task Ambiguously_encoded_paths_are_refused(string id, int status) =>
        Assert.Equal(status, (int)(await Client.GetAsync($"/api/v1/pipelines/{id}", Ct)).StatusCode);

    [Fact]
    public async Task A_repeated_parameter_is_422_and_probes_accept_HEAD()
    {
        await (await Client.GetAsync("/api/v1/runs/?pipeline_id=a&pipeline_id=b", Ct)).Problem(422, "invalid");
        foreach (var path in new[] { "/health", "/ready" })
        {
            var answer = await Send(HttpMethod.Head, path);
            Assert.Equal((200, 0), ((int)answer.StatusCode, (await answer.Content.ReadAsByteArrayAsync(Ct)).Length));
        }
    }

    [Fact]
    public async Task The_deepest_pipeline_can_be_exported_and_posted_again()
    {
        var deep = $$"""{"name":"{{Name}}","version":"1","x":{{new string('[', 63)}}{{new string(']', 63)}}}""";

        Assert.Equal(201, (int)(await Send(HttpMethod.Post, "/api/v1/pipelines/", deep)).StatusCode);
        var export = await Client.GetStringAsync("/api/v1/pipelines/?format=export", Ct);
        Assert.Equal(200, (int)(await Send(HttpMethod.Post, "/api/v1/pipelines/", export)).StatusCode);
        await (await Send(HttpMethod.Post, "/api/v1/pipelines/", deep.Replace("[[", "[[["))).Problem(400, "malformed");
    }
}
