using Catalog.Tests.Support;

namespace Catalog.Tests.Runs;

[Trait("Category", "Fast")]
public sealed class RunListsOnSqlite(SqliteTestDatabase database) : RunListTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunListsOnPostgres(PostgresTestDatabase database) : RunListTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Lists of runs by start and end time, which differ from the time of their first event.</summary>
public abstract class RunListTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Midnight = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);
    private readonly CatalogApp _app;
    private readonly HttpClient _client;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    protected RunListTests(TestDatabase database)
    {
        _app = database.SharedService();
        _client = _app.Client();
    }

    // In the order of arrival: a run of one hour, a long run, a running one, a pending one, two with equal times, an
    // old one, and a failed one without times.
    public async ValueTask InitializeAsync()
    {
        await _client.PostJson("/api/v1/pipelines/", new { name = _pipeline });
        await Post("young", "failed", 20, 21);
        await Post("long", "failed", -30, 22);
        await Post("goes", "running", 5, null);
        await Post("waits", "pending", null, null);
        await Post("twin-a", "completed", 6, 7);
        await Post("twin-b", "completed", 6, 7);
        await Post("old", "failed", -8760, -8759);
        await Post("bare", "failed", null, null);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("", "bare old twin-b twin-a waits goes long young")]
    [InlineData("sort=created_at", "bare old twin-b twin-a waits goes long young")]
    [InlineData("sort=started_at", "bare waits young twin-b twin-a goes long old")]
    [InlineData("sort=ended_at", "waits goes bare long young twin-b twin-a old")]
    [InlineData("status=failed&started_since=2026-01-31T00:00:00Z", "young")]
    [InlineData("status=failed&ended_since=2026-01-31T00:00:00Z", "long young")]
    [InlineData("status=failed,running&ended_since=2026-01-31T00:00:00Z", "goes long young")]
    [InlineData("status=error,%20queued,success&ended_since=2026-01-31T07:00:00Z&sort=ended_at", "waits long young twin-b twin-a")]
    [InlineData("ended_since=2026-01-31T00:00:00Z&sort=ended_at", "long young twin-b twin-a")]
    [InlineData("ended_until=2026-01-31T07:00:00Z", "old")]
    [InlineData("ended_since=2026-01-31T07:00:00Z&ended_until=2026-01-31T21:00:00Z", "twin-b twin-a")]
    [InlineData("status=running&ended_until=2126-01-31T21:00:00Z", "")]
    [InlineData("status=running,pending&started_since=2026-01-31T05:00:00Z", "goes")]
    [InlineData("started_since=2026-01-31T05:00:00Z&started_until=2026-01-31T06:00:00Z", "goes")]
    [InlineData("started_until=2026-01-31T06:00:00Z&sort=started_at", "goes long old")]
    [InlineData("status=failed&started_until=2126-01-31T06:00:00Z&sort=started_at", "young long old")]
    public async Task A_list_has_the_requested_runs_in_the_requested_order(string query, string expected)
    {
        // The order among runs without an end is not compared, because it depends on arrival or id.
        var sorted = query.Contains("sort=ended_at", StringComparison.Ordinal);
        string[] Comparable(IEnumerable<string> names) =>
            sorted ? [.. names.Where(name => name is not ("bare" or "goes" or "waits")),
                .. names.Where(name => name is "bare" or "goes" or "waits").Order(StringComparer.Ordinal)] : [.. names];

        foreach (var limit in new[] { 1, 3, 50 })
        {
            Assert.Equal(Comparable(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)), Comparable(await Pages(query, limit)));
        }
    }

    [Fact]
    public async Task Runs_without_an_end_come_first_when_sorted_by_end()
    {
        var names = await Pages("sort=ended_at", 2);

        Assert.Equal(["bare", "goes", "waits"], names.Take(3).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("sort=started_at", "sort=ended_at", "cursor")]
    [InlineData("sort=started_at", "", "cursor")]
    [InlineData("", "sort=ended_at", "cursor")]
    public async Task A_cursor_of_another_sort_order_is_refused(string from, string to, string parameter)
    {
        var cursor = (await _client.GetJson($"/api/v1/runs/?limit=1&{from}")).GetProperty("next_cursor").GetString();

        var problem = await (await _client.GetAsync($"/api/v1/runs/?limit=1&{to}&cursor={cursor}", Ct)).Problem(422, "invalid");

        Assert.Contains("with the same sort", problem.GetProperty("errors").GetProperty(parameter)[0].GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status=failed,broken", "status")]
    [InlineData("status=failed,", "status")]
    [InlineData("sort=duration", "sort")]
    [InlineData("sort=Started_at", "sort")]
    public async Task Invalid_filters_and_sort_orders_are_refused(string query, string parameter)
    {
        var problem = await (await _client.GetAsync($"/api/v1/runs/?{query}", Ct)).Problem(422, "invalid");

        Assert.Equal(parameter, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task The_latest_run_of_a_pipeline_has_the_latest_start()
    {
        Assert.Equal($"{_pipeline}-bare", await Latest(_pipeline));

        var backfilled = $"{_pipeline}-backfilled";
        await _client.PostJson("/api/v1/pipelines/", new { name = backfilled });
        foreach (var (id, day) in new[] { ("today", "2026-01-31"), ("tomorrow", "2026-02-01"), ("last-year", "2025-01-31") })
        {
            await _client.PostJson(
                "/api/v1/runs/", new
                {
                    id = $"{_pipeline}-{id}",
                    pipeline_id = backfilled,
                    status = "completed",
                    started_at = $"{day}T00:00:00Z",
                    completed_at = $"{day}T01:00:00Z"
                });
        }

        Assert.Equal($"{_pipeline}-tomorrow", await Latest(backfilled));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<string?> Latest(string pipeline) => (await _client.GetJson($"/api/v1/pipelines/?q={pipeline}")).GetProperty("items")
        .EnumerateArray()
        .Single(item => item.GetProperty("id").GetString() == pipeline).GetProperty("latest_run").GetProperty("id").GetString();

    private async Task<List<string>> Pages(string query, int limit)
    {
        var names = new List<string>();
        string? cursor = null;
        do
        {
            var page = await _client.GetJson(
                $"/api/v1/runs/?limit={limit}&pipeline_id={_pipeline}&{query}{(cursor is null ? "" : $"&cursor={cursor}")}");
            names.AddRange(
                page.GetProperty("items").EnumerateArray().Select(run => run.GetProperty("id").GetString()![(_pipeline.Length + 1)..]));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return names;
    }

    private async Task Post(string name, string status, double? started, double? ended)
    {
        var answer = await _client.PostJson("/api/v1/runs/", new
        {
            id = $"{_pipeline}-{name}",
            pipeline_id = _pipeline,
            status,
            started_at = started is null ? (DateTimeOffset?)null : Midnight.AddHours(started.Value),
            completed_at = ended is null ? (DateTimeOffset?)null : Midnight.AddHours(ended.Value),
        });
        Assert.True(answer.IsSuccessStatusCode);
    }
}
