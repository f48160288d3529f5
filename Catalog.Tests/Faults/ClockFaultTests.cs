using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

[Trait("Category", "Fast")]
public sealed class ClockFaultsOnSqlite(SqliteTestDatabase database) : ClockFaultTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ClockFaultsOnPostgres(PostgresTestDatabase database) : ClockFaultTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The clock of the service jumps while a run is open and while results arrive.</summary>
[Trait("Category", "Faults")]
[Trait("Fault", "F24")]
public abstract class ClockFaultTests(TestDatabase database)
{
    private readonly TestDatabase _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(24 * 60)]
    [InlineData(-24 * 60)]
    [InlineData(-60)]
    [InlineData(5)]
    [InlineData(-5)]
    public async Task A_clock_that_jumps_loses_nothing_and_makes_no_negative_duration(int minutes)
    {
        var clock = new JumpingClock();
        using var app = new CatalogApp(_database) { Time = clock };
        using var client = app.Client();
        var name = $"clock-{Guid.NewGuid():N}";
        await client.PostJson("/api/v1/pipelines/", new { name });
        await Accepted(client, "/api/v1/runs/", new { id = name, pipeline_id = name, status = "running", started_at = clock.Now });
        for (var i = 0; i < 10; i++)
        {
            await Accepted(client, "/api/v1/checks/results", new { id = $"{name}-{i}", pipeline_id = name, check_id = "c", status = "pass" });
            clock.Jump = i % 2 == 0 ? TimeSpan.FromMinutes(minutes) : TimeSpan.Zero;
        }

        clock.Jump = TimeSpan.FromMinutes(minutes);
        await Accepted(client, "/api/v1/runs/", new { id = name, pipeline_id = name, status = "completed", completed_at = clock.Now });
        var run = await client.GetJson($"/api/v1/runs/{name}");
        var ids = new List<string>();
        for (var cursor = ""; ;)
        {
            var page = await client.GetJson($"/api/v1/checks/results?pipeline_id={name}&limit=3{cursor}");
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!));
            if (page.GetProperty("next_cursor").GetString() is not { } next)
            {
                break;
            }

            cursor = $"&cursor={Uri.EscapeDataString(next)}";
        }

        var duration = run.GetProperty("duration_seconds");
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"jump of {minutes} min: 12 acknowledged, {ids.Count} results listed, duration {duration}");
        // An end that is more than 60 s before the start looks like the end of an earlier attempt. It is kept as that.
        var ended = minutes < -1 ? run.GetProperty("attempts")[0] : run;
        Assert.Equal("completed", ended.GetProperty("status").GetString());
        Assert.True(duration.ValueKind == JsonValueKind.Null ? minutes < 0 : duration.GetDouble() >= 0, duration.ToString());
        Assert.Equal([.. Enumerable.Range(0, 10).Select(i => $"{name}-{i}")], ids.Order(StringComparer.Ordinal));
        Assert.Equal(200, (int)(await client.GetAsync("/ready", Ct)).StatusCode);
    }

    private static async Task Accepted(HttpClient client, string path, object body)
    {
        using var answer = await client.PostJson(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private sealed class JumpingClock : TimeProvider
    {
        public TimeSpan Jump { get; set; }

        public DateTimeOffset Now => GetUtcNow();

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Jump;
    }
}
