using System.Diagnostics;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;
using Catalog.Migrations.Retention;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Retention;

public sealed class OldDataRemovalOnSqlite() : OldDataRemovalTests(new SqliteTestDatabase());

public sealed class OldDataRemovalOnPostgres() : OldDataRemovalTests(new PostgresTestDatabase())
{
    [Fact]
    public async Task Locked_rows_are_skipped_and_removed_by_the_next_run()
    {
        await Result("default", "held", Days(-40));
        await Result("default", "free", Days(-40));
        await Run("default", "held", Days(-40), events: [Days(-40)]);
        await Run("default", "free", Days(-40), events: [Days(-40)]);
        await using (var client = await DedicatedPostgres.Open(Database.Address))
        await using (var open = await client.BeginTransactionAsync(Ct))
        {
            await client.ExecuteAsync(
                "select 1 from check_results where id = 'held' for update; update runs set updated_at = updated_at where id = 'held'",
                transaction: open);
            var clock = Stopwatch.StartNew();
            await Apply(new(30, 30, null));
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"{clock.Elapsed}");
            Assert.Equal(["default/held"], await Ids("check_results"));
            Assert.Equal(["default/held"], await Ids("runs"));
            Assert.Equal(["default/held"], await Ids("run_events", "run_id"));
        }

        await Apply(new(30, 30, null));
        Assert.Empty(await Ids("check_results"));
        Assert.Empty(await Ids("runs"));
    }

    [Fact]
    public async Task A_locked_table_ends_the_removal_without_changes()
    {
        await Result("default", "old", Days(-40));
        await using var client = await DedicatedPostgres.Open(Database.Address);
        await using var open = await client.BeginTransactionAsync(Ct);
        await client.ExecuteAsync("lock table check_results", transaction: open);

        var refused = await Assert.ThrowsAsync<MigrationException>(() =>
            Clock.Until(
                new OldDataRemoval(
                    Migrations, new(null, 30, null), Clock, new() { LockTimeout = TimeSpan.FromMilliseconds(100), Attempts = 2 })
                    .Apply(RemovalScope.All, Ct)));

        Assert.Equal(MigrationFault.LockNotObtained, refused.Fault);
        await open.RollbackAsync(Ct);
        Assert.Equal(["default/old"], await Ids("check_results"));
    }

    [Fact]
    public async Task A_second_removal_waits_for_the_first_and_an_upgrade_does_not()
    {
        await using var busy = await Migrations.Source.OpenConnectionAsync(Ct);
        await using var held = await RemovalEngine.For(Migrations).Lock(busy, TimeSpan.Zero, _ => { }, Ct);
        string? waited = null;

        var refused = await Assert.ThrowsAsync<MigrationException>(() =>
            new OldDataRemoval(Migrations, new(1, 1, 1), Clock, new() { MaxWait = TimeSpan.FromMilliseconds(300) })
            {
                Waiting = holder =>
                waited = holder
            }.Apply(RemovalScope.All, Ct));

        Assert.Equal(MigrationFault.LockNotObtained, refused.Fault);
        Assert.StartsWith("retention with server process", waited);
        await using var other = await Migrations.Source.OpenConnectionAsync(Ct);
        await using var migrating = await Migrations.Dialect.Lock(other, TimeSpan.Zero, _ => { }, Ct);
        Assert.NotNull(migrating);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task No_statement_reads_a_whole_table()
    {
        await Execute("""
            insert into runs (organization_id, id, pipeline_id, status, reported_status, created_at, updated_at)
            select 'o' || n % 2, 'r' || n, 'p', 'completed', 'completed', @now - n * interval '1 minute', @now - n * interval '1 minute' from generate_series(1, 100000) n;
            insert into run_events (organization_id, run_id, digest, body, received_at)
            select organization_id, id, decode(md5(id), 'hex'), '{}', created_at from runs;
            insert into check_results (organization_id, id, pipeline_id, check_id, status, severity, executed_at, request_hash, created_at)
            select organization_id, id, 'p', id, 'pass', 'error', created_at, '', created_at from runs;
            insert into check_states (organization_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
            select organization_id, 'p', id, id, 'pass', 'error', 0, created_at from runs;
            insert into run_check_states (organization_id, run_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
            select organization_id, id, 'p', id, id, 'pass', 'error', 0, created_at from runs;
            insert into run_attempts (organization_id, run_id, attempt, status)
            select organization_id, id, 1, 'failed' from runs;
            """, new { now = Now });
        await Migrations.Analyze(Ct);
        var before = await Scans();

        var planned = await Count(new(60, 30, 50));
        var removed = await Apply(new(60, 30, 50), batch: 1000);

        Assert.True(removed.AllRows > 90_000, $"{removed.AllRows}");
        Assert.Equal(Text(planned), Text(removed));
        Assert.Equal(before, await Scans());
    }

    private async Task<List<string>> Scans()
    {
        // A server process reports its counters when its connection ends.
        await Task.Delay(1500, Ct);
        await using var connection = await Migrations.Source.OpenConnectionAsync(Ct);
        return (await connection.QueryAsync<string>(
            "select relname || ' ' || seq_scan from pg_stat_user_tables where relname in ('runs', 'check_results', 'run_events', "
                + "'run_stages', 'check_states', 'run_check_states', 'run_attempts') order by 1")).AsList();
    }
}

/// <summary>How a removal counts, continues, waits and reports.</summary>
public abstract class OldDataRemovalTests(TestDatabase database) : RetentionSteps(database)
{
    [Theory]
    [InlineData(RetentionKind.Events)]
    [InlineData(RetentionKind.Results, RetentionKind.Pipelines)]
    [InlineData(RetentionKind.Runs, RetentionKind.Events)]
    [InlineData(RetentionKind.Executions)]
    [InlineData(RetentionKind.Results, RetentionKind.Executions, RetentionKind.Runs, RetentionKind.Events, RetentionKind.Pipelines)]
    public async Task A_dry_run_writes_nothing_and_counts_the_rows_to_remove(params RetentionKind[] kinds)
    {
        await FillAll();
        var before = await Everything();
        var scope = new RemovalScope(kinds.ToHashSet());

        var planned = await Removal(new(30, 20, 10)).Count(scope, Ct);
        Assert.Equal(before, await Everything());
        var removed = await Removal(new(30, 20, 10), batch: 7).Apply(scope, Ct);

        Assert.Equal(Text(planned), Text(removed));
        Assert.Equal(kinds.Length, removed.Items.Count(item => item.Organization == "a"));
        Assert.Equal(0, (await Removal(new(30, 20, 10)).Count(scope, Ct)).AllRows);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    public async Task An_interrupted_removal_is_completed_by_the_next_run(int after)
    {
        await FillAll();
        var planned = await Count(new(30, 20, 10));
        using var stop = new CancellationTokenSource();
        var batches = 0;
        var first = await new OldDataRemoval(Migrations, new(30, 20, 10), Clock, LimitsOf(5))
        {
            Progress = _ =>
            {
                if (++batches == after)
                {
                    stop.Cancel();
                }
            },
        }.Apply(RemovalScope.All, stop.Token);
        Assert.True(first.Interrupted);
        Assert.Equal(after, batches);

        var left = await Count(new(30, 20, 10));
        Assert.Equal(planned.AllRows, first.AllRows + left.AllRows);
        var second = await Apply(new(30, 20, 10), batch: 5);

        Assert.Equal(planned.AllRows, first.AllRows + second.AllRows);
        Assert.Equal(planned.AllRows, await AuditedRows());
        Assert.Equal(0, (await Count(new(30, 20, 10))).AllRows);
    }

    [Fact]
    public async Task Two_concurrent_removals_remove_each_row_once()
    {
        await FillAll();
        var planned = await Count(new(30, 20, 10));

        await using var other = MigrationDatabase.Open(Database.Settings);
        var reports = await Task.WhenAll(
            Task.Run(() => Apply(new(30, 20, 10), batch: 3)),
            Task.Run(() => new OldDataRemoval(other, new(30, 20, 10), Clock, LimitsOf(4)).Apply(RemovalScope.All, Ct)));

        Assert.Equal(planned.AllRows, reports.Sum(report => report.AllRows));
        Assert.Equal(planned.AllRows, await AuditedRows());
    }

    [Fact]
    public async Task Each_organization_and_kind_with_removed_rows_has_one_entry_in_the_audit_log()
    {
        await Organization("own", results: 7);
        for (var i = 0; i < 12; i++)
        {
            await Result("own", $"{i}", Days(-8));
            await Run("default", $"{i}", Days(-40), events: [Days(-40)]);
        }

        await Apply(new(30, 30, 30), batch: 5);

        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        var entries = (await connection.QueryAsync<(string, string, string, string, string)>(
            "select organization_id, actor, action, object_id, detail from audit_log order by organization_id, action")).AsList();
        Assert.Equal(
        [
            ("default", "retention", "runs.removed", "default",
                """{"before":"2026-10-22T12:00:00.000000Z","kept_days":30,"runs":12,"run_stages":0,"run_events":12,"run_check_states":0,"run_attempts":0"""
                    + ""","lineage_runs":0,"run_datasets":0,"facets":0}"""),
            ("own", "retention", "results.removed", "own", """{"before":"2026-11-14T12:00:00.000000Z","kept_days":7,"check_results":12}"""),
        ], entries);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("36501")]
    [InlineData("30d")]
    public void A_setting_that_is_not_a_number_of_days_is_refused(string value)
    {
        RetentionDays Read(string key) => RetentionDays.Read(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build());
        Assert.All(["DATAXPIPE_RETENTION_RUNS_DAYS", "DATAXPIPE_RETENTION_RESULTS_DAYS", "DATAXPIPE_RETENTION_EVENTS_DAYS"], key =>
            Assert.Equal($"{key} must be a whole number from 1 to 36500. Leave it out to keep everything.", Assert.Throws<SettingException>(
                () => Read(key)).Message));
    }

    [Fact]
    public async Task The_console_counts_removes_and_refuses()
    {
        await Result("default", "old", TimeProvider.System.GetUtcNow().AddDays(-40));
        await Result("default", "young", TimeProvider.System.GetUtcNow().AddDays(-20));
        Task<ConsoleResult> Console(params string[] arguments) =>
            MigratorConsole.Run(Database.Address, [("DATAXPIPE_RETENTION_RESULTS_DAYS", "30")], ["retention", .. arguments]);

        Assert.Equal((2, ""), await Console() is var neither && neither.Errors.Contains("retention apply", StringComparison.Ordinal)
            ? (neither.Exit, neither.Output) : default);
        Assert.Equal(2, (await Console("apply", "--dry-run")).Exit);
        Assert.Equal(2, (await Console("apply", "--organization", "nobody")).Exit);
        var planned = await Console("--dry-run", "--json");
        Assert.Equal(
            (0, 1), (planned.Exit, planned.Json.GetProperty("items")[0].GetProperty("rows").GetProperty("check_results").GetInt32()));
        var removed = await Console("apply", "--kind", "results");
        Assert.Equal((0, ""), (removed.Exit, removed.Errors));
        Assert.Contains("1 row removed", removed.Output);
        Assert.Equal(["default/young"], await Ids("check_results"));
    }

    [Fact]
    public async Task A_terminated_console_finishes_its_transaction_and_reports_how_to_continue()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        await Execute("""
            with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 3000)
            insert into check_results (organization_id, id, pipeline_id, check_id, status, severity, executed_at, request_hash, created_at)
            select 'default', 'x' || n, 'p', 'c', 'pass', 'error', @old, @hash, @old from numbers
            """, new { old = TimeProvider.System.GetUtcNow().AddDays(-60), hash = Array.Empty<byte>() });
        using var process = MigratorConsole.Start(Database.Address, ["retention", "apply", "--batch", "100", "--pause", "0.2"],
            ("DATAXPIPE_RETENTION_RESULTS_DAYS", "30"));
        var ended = MigratorConsole.End(process);
        while (await AuditedRows() < 200)
        {
            Assert.False(ended.IsCompleted);
            await Task.Delay(50, Ct);
        }

        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        var result = await ended;

        Assert.Equal(1, result.Exit);
        Assert.Contains("Run the same command again", result.Errors);
        var left = (await Ids("check_results")).Count;
        Assert.InRange(left, 1, 2800);
        Assert.Equal(3000 - left, await AuditedRows());
        Assert.Equal(0, left % 100);
    }
}
