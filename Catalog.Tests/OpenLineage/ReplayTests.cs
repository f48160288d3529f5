using Catalog.Data.Events;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.OpenLineage;

public sealed class ReplayOnSqlite : ReplayTests
{
    protected override TestDatabase New() => new SqliteTestDatabase();

    protected override Task LeaveShadow() => File.WriteAllTextAsync($"{Database.Address}.replay", "left by a killed replay", Ct);
}

public sealed class ReplayOnPostgres : ReplayTests
{
    protected override TestDatabase New() => new PostgresTestDatabase();

    protected override Task LeaveShadow() =>
        Execute("create schema catalog_replay; create table catalog_replay.facets (left_by text)");
}

/// <summary>A replay finds and repairs every difference between the tables and the log. Each test has its own database.</summary>
public abstract class ReplayTests : IAsyncLifetime
{
    protected TestDatabase Database { get; private set; } = null!;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract TestDatabase New();

    /// <summary>Leaves what a killed replay leaves.</summary>
    protected abstract Task LeaveShadow();

    public async ValueTask InitializeAsync()
    {
        Database = New();
        await Database.InitializeAsync();
        Database.Require();
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Nothing_differs_after_real_events()
    {
        List<string> events =
        [
            .. RealInput.Files("openlineage/airflow").Select(File.ReadAllText),
            .. RealInput.Files("openlineage/marquez").SelectMany(File.ReadLines).Where(line => line.Trim().Length > 0),
        ];
        await Store("default", events);

        Assert.Equal("", Differences(await Console("--dry-run", "--json")));
    }

    [Fact]
    public async Task Damaged_tables_are_reported_and_repaired()
    {
        await Store("default", Events(0, 1, 2));
        var intact = await FoldedTables.Read(Database);
        await Damage("default");
        var damaged = await FoldedTables.Read(Database);
        Assert.NotEqual(intact, damaged);

        var planned = await Console("--dry-run", "--json");

        Assert.Equal(4, planned.Exit);
        Assert.Equal(damaged, await FoldedTables.Read(Database));
        foreach (var table in new[] { "facets", "lineage_runs", "lineage_edges", "check_results", "run_events", "column_edges" })
        {
            Assert.Contains($"{table} ", Differences(planned));
        }

        var applied = await Console("apply");
        Assert.Equal((0, intact), (applied.Exit, await FoldedTables.Read(Database)));
        Assert.Contains("replaced", applied.Output);
        Assert.Equal(0, (await Console("--dry-run")).Exit);
    }

    [Fact]
    public async Task Only_the_named_organization_is_replayed()
    {
        await Store("default", Events(0));
        await Store("other", Events(1));
        await Damage("default");
        await Damage("other");

        Assert.Equal(0, (await Console("apply", "--organization", "other")).Exit);

        Assert.Equal(0, (await Console("--dry-run", "--organization", "other")).Exit);
        Assert.Equal(4, (await Console("--dry-run", "--organization", "default")).Exit);
    }

    [Fact]
    public async Task Posted_runs_and_results_are_not_changed()
    {
        using var client = Database.SharedService().Client();
        foreach (var (path, body) in new (string, object)[]
        {
            ("pipelines", new { name = "posted" }), ("runs", new { id = "posted", pipeline_id = "posted", status = "completed" }),
            ("checks/results", new { pipeline_id = "posted", check_id = "c", run_id = "posted", status = "fail" }),
        })
        {
            (await client.PostJson($"/api/v1/{path}/", body)).EnsureSuccessStatusCode();
        }

        await Store("default", Events(0));
        var intact = await FoldedTables.Read(Database);
        await Damage("default");

        Assert.Equal(0, (await Console("apply")).Exit);

        Assert.Equal(intact, await FoldedTables.Read(Database));
    }

    [Fact]
    public async Task Events_that_arrive_during_a_replay_are_neither_lost_nor_doubled()
    {
        var events = Events(0, 1, 2, 3).ToList();
        await Store("default", events[..30]);
        await Damage("default");

        var replay = Console("apply");
        foreach (var @event in events[30..])
        {
            await Store("default", [@event]);
            await Task.Delay(20, Ct);
        }

        Assert.Equal(0, (await replay).Exit);
        Assert.Equal("", Differences(await Console("--dry-run", "--json")));
        Assert.Equal(events.Distinct().Count(), await Scalar("select count(*) from lineage_events"));
    }

    [Fact]
    public async Task A_replay_does_not_reach_behind_events_that_retention_removed()
    {
        await Store("default", Events(0, 1));
        var intact = await FoldedTables.Read(Database);
        await Execute("""
            insert into audit_log (organization_id, id, occurred_at, actor, action, object_type, object_id, detail)
            values ('default', 'x', @now, 'retention', 'events.removed', 'organization', 'default',
                '{"before":"2026-06-02T00:00:00.000000Z","kept_days":1}');
            delete from lineage_events
            """);
        await Store("default", ["""{"eventTime":"2026-06-02T01:00:00Z","job":{"namespace":"n","name":"later"},"producer":"p"}"""],
            new(2026, 6, 2, 1, 0, 0, TimeSpan.Zero));
        await Execute("delete from pipelines where id = 'n/later'");

        var applied = await Console("apply");

        Assert.Equal(0, applied.Exit);
        Assert.Contains("none from before 2026-06-02 00:00:00Z, whose bodies retention removed", applied.Output);
        Assert.Equal(1, await Scalar("select count(*) from pipelines where id = 'n/later'"));
        await Execute("delete from pipelines where id = 'n/later'");
        Assert.Equal(intact, await FoldedTables.Read(Database));
    }

    [Fact]
    public async Task Tables_of_a_killed_replay_are_dropped()
    {
        await Store("default", Events(0));
        await LeaveShadow();

        Assert.Equal(0, (await Console("--dry-run")).Exit);
    }

    [Fact]
    public async Task Wrong_arguments_are_refused()
    {
        await Store("default", Events(0));

        Assert.Equal(2, (await Console()).Exit);
        Assert.Equal(2, (await Console("apply", "--dry-run")).Exit);
        Assert.Equal(2, (await Console("apply", "--since", "yesterday")).Exit);
        var unknown = await Console("--dry-run", "--organization", "unknown");
        Assert.Equal(2, unknown.Exit);
        Assert.Contains("'unknown' has no events", unknown.Errors);
    }

    protected async Task Execute(string sql)
    {
        await using var migrations = MigrationDatabase.Open(Database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql, new { now = DateTimeOffset.UnixEpoch });
    }

    private async Task<long> Scalar(string sql)
    {
        await using var migrations = MigrationDatabase.Open(Database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<long>(sql);
    }

    // Each statement is what a wrong mapping would have stored.
    private Task Damage(string organization) => Execute($"""
        delete from facets where organization_id = '{organization}' and subject = 'dataset' and facet = 'schema';
        delete from lineage_runs where organization_id = '{organization}' and run_id = (
            select min(run_id) from lineage_runs where organization_id = '{organization}' and run_id like 'run-%');
        update lineage_edges set last_at = @now where organization_id = '{organization}';
        update column_edges set upstream_column = 'wrong' where organization_id = '{organization}';
        update check_results set status = 'fail' where organization_id = '{organization}' and check_id like 'not_null%' and status = 'pass';
        update check_states set status = 'fail', rank = 4 where organization_id = '{organization}' and check_id like 'not_null%';
        update run_events set body = replace(body, '"completed"', '"failed"')
            where organization_id = '{organization}' and run_id like 'run-%';
        update runs set status = 'failed', reported_status = 'failed' where organization_id = '{organization}' and id like 'run-%'
        """);

    private Task<ConsoleResult> Console(params string[] arguments) => MigratorConsole.Run(Database.Address, ["replay", .. arguments]);

    private Task Store(string organization, IEnumerable<string> events, DateTimeOffset? receivedAt = null) =>
        new EventStore(Database.Database).Store(
            [(organization, [.. events.Select(text => OpenLineageFoldTests.Read(text, receivedAt ?? OpenLineageFoldTests.Now))])]);

    private static IEnumerable<string> Events(params int[] seeds) =>
        seeds.SelectMany(seed => OpenLineageFoldTests.History(new Random(seed)));

    private static string Differences(ConsoleResult result) => string.Join('\n',
        result.Json.GetProperty("organizations").EnumerateArray().SelectMany(organization =>
            organization.GetProperty("tables").EnumerateArray().Select(table =>
                $"{table.GetProperty("table").GetString()} {table.GetProperty("only_live")} {table.GetProperty("only_replayed")} "
                    + $"{table.GetProperty("different")} {table.GetProperty("examples")}")));
}
