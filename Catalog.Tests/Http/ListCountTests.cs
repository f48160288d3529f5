using Catalog.Data.Database;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class ListCountsOnSqlite(SqliteTestDatabase database) : ListCountTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ListCountsOnPostgres(PostgresTestDatabase database) : ListCountTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The number beside a list is the number of its items.</summary>
public abstract class ListCountTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task A_count_equals_the_items_of_all_pages()
    {
        using var client = await App.Organization(Name);
        for (var i = 0; i < 5; i++)
        {
            await client.PostJson("/api/v1/pipelines/", new
            {
                name = $"p{i}",
                owner = $"o{i % 2}",
                tags = new[] { "t" },
                edges = new[] { new { from = $"s{i}", to = "t" } },
                checks = new[] { new { id = "c", sql = "select 1" } },
            });
            foreach (var (status, end) in new[] { ("failed", "2026-01-31T02:00:00Z"), ("running", null), ("completed", null) })
            {
                await client.PostJson("/api/v1/runs/", new
                {
                    id = $"{status}-{i}",
                    pipeline_id = $"p{i}",
                    status,
                    started_at = "2026-01-31T01:00:00Z",
                    completed_at = end,
                });
                await client.PostJson("/api/v1/checks/results", new
                {
                    pipeline_id = $"p{i}",
                    check_id = status,
                    status = status == "failed" ? "fail" : "pass",
                    executed_at = "2026-01-31T02:00:00Z",
                });
            }

            // The check has no connection, so its result is an error.
            using var execution = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/checks/c/execute?pipeline_id=p{i}");
            execution.Headers.Add("Prefer", "wait=60");
            Assert.Equal(200, (int)(await client.SendAsync(execution, Ct)).StatusCode);
        }

        await client.DeleteAsync("/api/v1/pipelines/p4", Ct);
        foreach (var (path, expected) in new (string, int)[]
        {
            ("pipelines/?", 4), ("pipelines/?owner=o1", 2), ("pipelines/?q=P", 4), ("pipelines/?tag=t&owner=o0", 2),
            ("pipelines/?deleted=true", 1),
            ("runs/?", 15), ("runs/?status=failed,running", 10), ("runs/?status=running&ended_since=24h", 5),
            ("runs/?status=failed&ended_since=24h", 0), ("runs/?ended_since=2026-01-31T00:00:00Z&ended_until=2026-01-31T03:00:00Z", 5),
            ("runs/?pipeline_id=p1&started_since=2026-01-01", 3),
            ("checks/?", 4), ("checks/?pipeline_id=p1", 1), ("checks/?status=fail", 0), ("checks/results?", 20),
            ("checks/results?status=fail", 5),
            ("checks/results?check_id=failed&pipeline_id=p1", 1), ("checks/states?", 20), ("checks/states?status=fail", 5),
            ("checks/states?severity=error&pipeline_id=p2", 4), ("datasets/?", 6), ("datasets/?namespace=", 6), ("executions/?", 5),
            ("executions/?pipeline_id=p1", 1), ("executions/?check_id=c", 5), ("organizations/me/audit-log?action=pipeline.deleted", 1),
        })
        {
            var (items, cursor) = (0, "");
            long? count = null;
            do
            {
                var page = await client.GetJson($"/api/v1/{path}&limit=3&count=true{cursor}".Replace("?&", "?", StringComparison.Ordinal));
                items += page.GetProperty("items").GetArrayLength();
                count = page.GetProperty("count").GetInt64();
                Assert.False(page.GetProperty("count_is_minimum").GetBoolean());
                cursor = page.GetProperty("next_cursor").GetString() is { } next ? $"&cursor={next}" : null;
            }
            while (cursor is not null);

            Assert.True(items == count, $"{path} has {items} items and the count {count}.");
            Assert.True(items == expected, $"{path} has {items} items.");
            Assert.False((await client.GetJson($"/api/v1/{path}".TrimEnd('?'))).TryGetProperty("count", out _));
        }

        await (await client.GetAsync("/api/v1/runs/?count=1", Ct)).Problem(422, "invalid");
        var deleted = (await client.GetJson("/api/v1/pipelines/?deleted=true")).GetProperty("items")[0];
        Assert.True(deleted.GetProperty("deleted_at").GetDateTimeOffset() > deleted.GetProperty("created_at").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_count_stops_at_ten_thousand()
    {
        var rows = Enumerable.Range(0, 10_001).Select(_ => Guid.NewGuid()).ToList();
        foreach (var (ids, expected) in new[] { (rows[..10_000], (10_000L, false)), (rows[10_000..], (10_000, true)) })
        {
            await Database.Database.Write(Name, async session => await session.Run<Guid, NoResult>("""
                -- Test.Datasets
                insert into datasets (organization_id, id, namespace, name, created_at) select @organization, id, '', 'd', at from rows
                """, new(new Column<Guid, Guid>("id", id => id),
                new Column<Guid, DateTimeOffset>("at", _ => DateTimeOffset.UnixEpoch)), ids, Ct), Ct);
            Assert.Equal(expected, await Count());
        }
    }

    [Fact]
    public async Task The_last_runs_of_several_pipelines_are_read_in_one_statement()
    {
        using var client = await App.Organization(Name);
        foreach (var pipeline in new[] { "p", "q", "unused" })
        {
            await client.PostJson("/api/v1/pipelines/", new { name = pipeline });
            for (var i = 0; i < 5 && pipeline != "unused"; i++)
            {
                await client.PostJson("/api/v1/runs/", new
                {
                    id = $"{pipeline}{i}",
                    pipeline_id = pipeline,
                    status = i == 2 ? "failed" : "completed",
                    started_at = $"2026-01-31T0{i}:00:00Z",
                    completed_at = $"2026-01-31T0{i}:00:0{i}Z",
                });
            }
        }

        var runs = await new PipelineRuns(Database.Database).RecentRuns(Name, ["q", "p", "unused", "unknown"], 3, Ct);

        Assert.Equal(["p4", "p3", "p2"], runs["p"].Select(run => run.Id));
        Assert.Equal(["completed", "completed", "failed"], runs["q"].Select(run => run.Status));
        Assert.Equal([4, 3, 2], runs["q"].Select(run => run.DurationSeconds));
        Assert.Empty(runs["unused"]);
        Assert.Equal(2, runs.Count);
        Assert.Empty(await new PipelineRuns(Database.Database).RecentRuns(Name, [], 3, Ct));
    }

    private async Task<(long, bool)> Count()
    {
        var count = await new DatasetRepository(Database.Database).Count(Name, null, Ct);
        return (count.Value, count.IsMinimum);
    }
}
