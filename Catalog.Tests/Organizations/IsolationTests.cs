using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Catalog.Tests.Contract;
using Catalog.Tests.Support;

namespace Catalog.Tests.Organizations;

[Trait("Category", "Fast")]
public sealed class IsolationOnSqlite(SqliteTestDatabase database) : IsolationTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class IsolationOnPostgres(PostgresTestDatabase database) : IsolationTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>No request of one organization can read or change anything of another organization.</summary>
public abstract class IsolationTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Every_route_with_every_id_of_another_organization_answers_as_for_a_missing_id()
    {
        var document = await Document();
        using var theirs = await App.Organization($"b{Name}");
        using var ours = await App.Organization($"a{Name}");
        var ids = await Fill(theirs);
        var before = await Everything(theirs, ids);
        var count = 0;

        foreach (var operation in document.Operations.Where(operation => operation.NeedsKey))
        {
            var path = operation.Path.Contains('{', StringComparison.Ordinal);
            foreach (var id in ids)
            {
                var missing = new string([.. id.Reverse()]) + "-missing";
                foreach (var query in Queries(operation, path))
                {
                    var (their, no) = (await AnswerOf(ours, operation, id, query), await AnswerOf(ours, operation, missing, query));
                    Assert.True(
                        their == no,
                        $"{operation.Method} {operation.Path}{query} answers differently for {id} and for a missing "
                            + $"id:\n{their}\n{no}");
                    Assert.DoesNotContain("canary", their, StringComparison.Ordinal);
                    count++;
                }
            }
        }

        Assert.True(count > 150, $"{count} requests");
        Assert.Equal(before, await Everything(theirs, ids));
    }

    [Fact]
    public async Task Two_organizations_can_use_the_same_ids()
    {
        using var theirs = await App.Organization($"b{Name}");
        using var ours = await App.Organization($"a{Name}");

        Assert.Equal(await Fill(theirs), await Fill(ours));

        Assert.Equal(204, (int)(await ours.DeleteAsync($"/api/v1/pipelines/{Name}", Ct)).StatusCode);
        Assert.Equal(200, (int)(await theirs.GetAsync($"/api/v1/pipelines/{Name}", Ct)).StatusCode);
    }

    [Fact]
    public async Task A_result_with_the_run_id_of_another_organization_does_not_change_that_run()
    {
        using var theirs = await App.Organization($"b{Name}");
        using var ours = await App.Organization($"a{Name}");
        await theirs.PostJson("/api/v1/pipelines/", new { name = Name });
        await ours.PostJson("/api/v1/pipelines/", new { name = Name });
        await theirs.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "completed" });

        var posted = await ours.PostJson(
            "/api/v1/checks/results", new { pipeline_id = Name, check_id = "c", run_id = Name, status = "fail" });

        Assert.Equal(201, (int)posted.StatusCode);
        Assert.Equal("completed", (await theirs.GetJson($"/api/v1/runs/{Name}")).GetProperty("status").GetString());
        Assert.Equal("failed", (await ours.GetJson($"/api/v1/runs/{Name}")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_same_Idempotency_Key_is_independent_in_two_organizations()
    {
        using var theirs = await App.Organization($"b{Name}");
        using var ours = await App.Organization($"a{Name}");
        foreach (var client in new[] { theirs, ours })
        {
            await client.PostJson("/api/v1/pipelines/", new { name = Name });
            client.DefaultRequestHeaders.Add("Idempotency-Key", Name);
        }

        var first = await (await theirs.PostJson("/api/v1/runs/", new { pipeline_id = Name, status = "running" })).Json();
        var second = await ours.PostJson("/api/v1/runs/", new { pipeline_id = Name, status = "failed" });

        Assert.Equal(201, (int)second.StatusCode);
        Assert.NotEqual(first.GetProperty("id").GetString(), (await second.Json()).GetProperty("id").GetString());
    }

    private async Task<ApiDocument> Document() => new(JsonNode.Parse(await Client.GetStringAsync("/openapi/v1.json", Ct))!);

    // Creates one object of every kind, named after this test where the client chooses the id. Returns all ids.
    private async Task<List<string>> Fill(HttpClient client)
    {
        async Task Post(string path, object body) => Assert.InRange((int)(await client.PostJson(path, body)).StatusCode, 200, 201);

        await Post("/api/v1/pipelines/", new
        {
            name = Name,
            description = "canary",
            tags = new[] { "canary" },
            owner = "canary",
            checks = new[] { new { id = $"{Name}-with", sql = "select 1" } },
            lineage = new { edges = new[] { new { from = $"{Name}-up", to = $"{Name}-down" } } },
        });
        await Post("/api/v1/runs/", new
        {
            id = Name,
            pipeline_id = Name,
            status = "running",
            error_message = "canary",
            stages = new[] { new { stage_name = Name, status = "running" } }
        });
        await Post("/api/v1/checks/", new { id = Name, dataset = $"{Name}-up", kind = "canary", severity = "warn" });
        await Post("/api/v1/checks/results", new
        {
            id = Name,
            pipeline_id = Name,
            check_id = Name,
            run_id = Name,
            dataset = $"{Name}-up",
            status = "fail",
            message = "canary"
        });
        await Post("/api/v1/connections/", new { id = Name, type = "bigquery", config = new { project = "canary" } });
        return [Name, $"{Name}-with", $"{Name}-up", $"{Name}-down"];
    }

    private static IEnumerable<string> Queries(Operation operation, bool path)
    {
        if (path)
        {
            yield return "";
        }

        foreach (var name in operation.Parameters("query").Select(parameter => (string)parameter["name"]!)
            .Where(name => name.EndsWith("_id", StringComparison.Ordinal) || name is "dataset" or "q" or "actor"))
        {
            yield return $"?{name}={{id}}";
        }
    }

    // Returns status, headers and body; the requested id and values that differ per answer are replaced.
    private static async Task<string> AnswerOf(HttpClient client, Operation operation, string id, string query)
    {
        var path = operation.Path;
        while (path.IndexOf('{', StringComparison.Ordinal) is >= 0 and var open)
        {
            path = path[..open] + id + path[(path.IndexOf('}', StringComparison.Ordinal) + 1)..];
        }

        using var request = new HttpRequestMessage(
            new HttpMethod(operation.Method), path + query.Replace("{id}", id, StringComparison.Ordinal));
        if (operation.Example is { } example)
        {
            var body = example.DeepClone();
            (body as JsonObject)?.Remove("id");
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        var headers = answer.Headers.Concat(answer.Content.Headers)
            .Where(header => header.Key is not ("Date" or "X-Request-ID" or "ETag" or "Content-Length"))
            .Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order();
        var trace = JsonNode.Parse(text.Length == 0 ? "null" : text) is JsonObject problem && (string?)problem["trace_id"] is { } named
            ? named : "\0";
        return $"{(int)answer.StatusCode}\n{string.Join('\n', headers)}\n{text}".Replace(id, "ID", StringComparison.Ordinal)
            .Replace(trace, "TRACE", StringComparison.Ordinal);
    }

    // Returns everything that an organization can read about itself.
    private static async Task<string> Everything(HttpClient client, List<string> ids)
    {
        var text = new StringBuilder();
        foreach (var path in new[] { "pipelines/", "pipelines/?format=export", "runs/", "checks/", "checks/results", "connections/",
            "datasets/", "organizations/me/api-keys", "organizations/me/audit-log" })
        {
            text.AppendLine(await client.GetStringAsync($"/api/v1/{path}", Ct));
        }

        foreach (var path in new[] { $"pipelines/{ids[0]}/versions", $"runs/{ids[0]}", $"runs/{ids[0]}/events", $"checks/{ids[0]}",
            $"connections/{ids[0]}", $"lineage/{ids[2]}", $"datasets/{ids[2]}" })
        {
            text.AppendLine(await client.GetStringAsync($"/api/v1/{path}", Ct));
        }

        return text.ToString();
    }
}
