using Catalog.Tests.Support;

namespace Catalog.Tests.Pipelines;

[Trait("Category", "Fast")]
public sealed class PipelineStatusFilterOnSqlite(SqliteTestDatabase database) : PipelineStatusFilterTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class PipelineStatusFilterOnPostgres(PostgresTestDatabase database) : PipelineStatusFilterTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>Pipelines by the status of the run that started last.</summary>
public abstract class PipelineStatusFilterTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Pipelines_are_listed_and_counted_by_the_status_of_their_latest_run()
    {
        using var client = await App.Organization(Name);
        foreach (var (pipeline, first, last) in new[]
        {
            ("a", "failed", "completed"), ("b", "completed", "failed"), ("c", "failed", "running"), ("d", "completed", "failed"),
        })
        {
            await client.PostJson("/api/v1/pipelines/", new { name = pipeline, owner = pipeline == "d" ? "dora" : "ann" });
            foreach (var (status, start) in new[] { (last, "2025-01-02T00:00:00Z"), (first, "2025-01-01T00:00:00Z") })
            {
                var id = $"{pipeline}-{start}";
                await client.PostJson("/api/v1/runs/", new { pipeline_id = pipeline, id, status, started_at = start });
            }
        }

        await client.PostJson("/api/v1/pipelines/", new { name = "no-run" });

        Assert.Equal(("d b", 2), await List(client, "status=failed"));
        Assert.Equal(("d c b", 3), await List(client, "status=failed,running"));
        Assert.Equal(("b", 1), await List(client, "status=failed&owner=ann"));
        Assert.Equal(("", 0), await List(client, "status=skipped"));
        var newest = await client.GetJson("/api/v1/pipelines/?status=failed&limit=1");
        var cursor = Uri.EscapeDataString(newest.GetProperty("next_cursor").GetString()!);
        var second = await client.GetJson($"/api/v1/pipelines/?status=failed&limit=1&cursor={cursor}");
        Assert.Equal("b", second.GetProperty("items")[0].GetProperty("id").GetString());
        await (await client.GetAsync("/api/v1/pipelines/?status=lost", Ct)).Problem(422, "invalid");
    }

    [Fact]
    public async Task A_page_examines_a_bounded_number_of_pipelines_and_the_next_one_continues()
    {
        using var client = await App.Organization(Name);
        foreach (var part in Enumerable.Range(0, 11))
        {
            await client.PostJson("/api/v1/pipelines/", Enumerable.Range(0, 1000).Select(i => new { name = $"{part:00}-{i:000}" }));
        }

        await client.PostJson("/api/v1/runs/", new { pipeline_id = "00-000", id = "old", status = "failed" });
        var first = await client.GetJson("/api/v1/pipelines/?status=failed&count=true");
        Assert.Equal(0, first.GetProperty("items").GetArrayLength());
        Assert.Equal((0, true), (first.GetProperty("count").GetInt32(), first.GetProperty("count_is_minimum").GetBoolean()));

        var cursor = Uri.EscapeDataString(first.GetProperty("next_cursor").GetString()!);
        var second = await client.GetJson($"/api/v1/pipelines/?status=failed&cursor={cursor}");
        Assert.Equal("00-000", second.GetProperty("items")[0].GetProperty("id").GetString());
        Assert.Null(second.GetProperty("next_cursor").GetString());
    }

    private static async Task<(string Ids, int Count)> List(HttpClient client, string query)
    {
        var list = await client.GetJson($"/api/v1/pipelines/?{query}&count=true");
        return (string.Join(' ', list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString())),
            list.GetProperty("count").GetInt32());
    }
}
