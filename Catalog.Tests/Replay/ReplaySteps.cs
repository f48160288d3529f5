using Catalog.Data.Events;
using Catalog.Data.Migrations;
using Catalog.Tests.OpenLineage;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Replay;

/// <summary>Events, damage and replays for the tests of <c>replay</c>. Each test has its own database.</summary>
public abstract class ReplaySteps : IAsyncLifetime
{
    protected TestDatabase Database { get; private set; } = null!;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Database = New();
        await Database.InitializeAsync();
        Database.Require();
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract TestDatabase New();

    protected async Task Execute(string sql)
    {
        await using var migrations = MigrationDatabase.Open(Database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql, new { now = DateTimeOffset.UnixEpoch });
    }

    protected async Task<long> Scalar(string sql)
    {
        await using var migrations = MigrationDatabase.Open(Database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<long>(sql);
    }

    // Each statement is what a wrong mapping would have stored.
    protected Task Damage(string organization) => Execute($"""
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

    protected Task<ConsoleResult> Console(params string[] arguments) => MigratorConsole.Run(Database.Address, ["replay", .. arguments]);

    protected Task Store(string organization, IEnumerable<string> events, DateTimeOffset? receivedAt = null) =>
        Store(organization, [.. events.Select(text => OpenLineageFoldTests.Read(text, receivedAt ?? OpenLineageFoldTests.Now))]);

    protected Task Store(string organization, IReadOnlyList<LoggedEvent> events) =>
        new EventStore(Database.Database).Store([(organization, events)]);

    protected static IEnumerable<string> Events(params int[] seeds) =>
        seeds.SelectMany(seed => OpenLineageFoldTests.History(new Random(seed)));

    protected static string Differences(ConsoleResult result)
    {
        Assert.True(result.Exit is 0 or 4, result.Errors);
        return string.Join('\n', result.Json.GetProperty("organizations").EnumerateArray().SelectMany(organization =>
            organization.GetProperty("tables").EnumerateArray().Select(table =>
                $"{table.GetProperty("table").GetString()} {table.GetProperty("only_live")} {table.GetProperty("only_replayed")} "
                    + $"{table.GetProperty("different")} {table.GetProperty("examples")}")));
    }
}
