using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Retention;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Migrations;

public sealed class RetentionVerbOnSqlite() : RetentionVerbTests(new SqliteTestDatabase());

public sealed class RetentionVerbOnPostgres : RetentionVerbTests
{
    public RetentionVerbOnPostgres()
        : base(new PostgresTestDatabase())
    {
    }

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
                new Removal(Migrations, new(null, 30, null), Clock, new() { LockTimeout = TimeSpan.FromMilliseconds(100), Attempts = 2 })
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
            new Removal(Migrations, new(1, 1, 1), Clock, new() { MaxWait = TimeSpan.FromMilliseconds(300) })
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

/// <summary>Each test has its own database, because retention covers all organizations.</summary>
public abstract class RetentionVerbTests : IAsyncLifetime
{
    private int _rows;
    private DbConnection? _connection;

    protected RetentionVerbTests(TestDatabase database) => Database = database.Require();

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TestDatabase Database { get; }

    protected FakeTimeProvider Clock { get; } = FakeTimeProvider.AtFixedTime();

    protected DateTimeOffset Now => Clock.GetUtcNow();

    protected MigrationDatabase Migrations { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await Database.InitializeAsync();
        Migrations = MigrationDatabase.Open(Database.Settings);
    }

    public async ValueTask DisposeAsync()
    {
        await (_connection?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Migrations.DisposeAsync();
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Rows_older_than_the_limit_are_removed_and_rows_at_the_limit_stay()
    {
        foreach (var (name, at) in new[] { ("older", Days(-30).AddMicroseconds(-1)), ("as old", Days(-30)),
            ("younger", Days(-30).AddMicroseconds(1)) })
        {
            await Result("default", name, at);
            await Run("default", name, at, events: [at, Now], stages: 2);
        }

        var report = await Apply(new(30, 30, null));

        Assert.Equal(["default/as old", "default/younger"], await Ids("check_results"));
        Assert.Equal(["default/as old", "default/younger"], await Ids("runs"));
        Assert.Equal(4, (await Ids("run_events", "run_id")).Count);
        Assert.Equal(4, (await Ids("run_stages", "run_id")).Count);
        Assert.Equal(
            "default results check_results=1|default runs runs=1 run_stages=2 run_events=2 run_check_states=0 run_attempts=0 "
                + "lineage_runs=0 run_datasets=0 facets=0", Text(report));
    }

    [Fact]
    public async Task A_result_stays_while_its_execution_or_its_arrival_is_recent()
    {
        await Result("default", "arrived late", Days(-400), created: Days(-2));
        await Result("default", "executed in the future", Days(5), created: Days(-60));
        await Result("default", "old", Days(-31), created: Days(-31));

        await Apply(new(null, 30, null));

        Assert.Equal(["default/arrived late", "default/executed in the future"], await Ids("check_results"));
    }

    [Fact]
    public async Task An_execution_is_removed_with_its_checks_when_it_has_ended_before_the_bound()
    {
        await Execution("default", "old", Days(-40), Days(-31));
        await Execution("default", "ended later", Days(-40), Days(-29));
        await Execution("default", "waits", Days(-40), null);

        var report = await Apply(new(null, 30, null));

        Assert.Equal(["default/ended later", "default/waits"], await Ids("executions"));
        Assert.Equal(["default/ended later", "default/waits"], await Ids("execution_checks", "execution_id"));
        Assert.Equal("default executions executions=1 execution_checks=1", Text(report));
    }

    [Fact]
    public async Task An_unfinished_run_stays_until_its_last_update_is_too_old()
    {
        await Run("default", "running", Days(-40), "running", updated: Days(-1));
        await Run("default", "forgotten", Days(-40), "running", updated: Days(-31));
        await Run("default", "gate only", Days(-40), reported: null, updated: Days(-1));
        await Run("default", "ended, corrected", Days(-40), "failed", updated: Days(-1));

        await Apply(new(30, null, null));

        Assert.Equal(["default/gate only", "default/running"], await Ids("runs"));
    }

    [Fact]
    public async Task Removal_of_old_events_and_results_does_not_change_their_run()
    {
        await Run("default", "r", Days(-40), events: [Days(-40), Days(-31), Days(-30), Days(-1)], stages: 1, gate: "c");
        await Result("default", "x", Days(-40), run: "r", status: "fail");
        await Execute("insert into run_attempts (organization_id, run_id, attempt, status) values ('default', 'r', 1, 'failed')", new { });
        var before = await Rows("runs");

        await Apply(new(null, 30, 30));

        Assert.Empty(await Ids("check_results"));
        Assert.Equal(2, (await Ids("run_events", "run_id")).Count);
        Assert.Single(await Ids("run_stages", "run_id"));
        Assert.Single(await Ids("run_attempts", "run_id"));
        Assert.Equal(before, await Rows("runs"));
    }

    [Fact]
    public async Task The_state_of_a_check_is_removed_with_its_result_and_that_of_a_run_with_its_run()
    {
        await Run("default", "kept", Days(-5));
        await Run("default", "old", Days(-40));
        foreach (var (check, result, at, run) in new[]
        {
            ("removed", "1", Days(-40), "kept"), ("overtaken", "2", Days(-40), "kept"), ("overtaken", "3", Days(-5), "kept"),
            ("of old run", "4", Days(-5), "old"), ("of no run", "5", Days(-40), "unknown"), ("of no run", "6", Days(-5), "unknown 2"),
        })
        {
            await Result("default", result, at, run: run, check: check);
            await State("default", check, result, at, run);
        }

        await Result("own", "1", Days(-5), check: "removed");
        await State("own", "removed", "1", Days(-5), "old");
        foreach (var (organization, run) in new[] { ("default", "kept"), ("default", "old"), ("own", "old") })
        {
            await Execute("insert into run_attempts (organization_id, run_id, attempt, status) values (@organization, @run, 1, 'failed')",
                new { organization, run });
        }

        var report = await Apply(new(30, 30, null));

        Assert.Equal(
            "default results check_results=3|default runs runs=1 run_stages=0 run_events=0 run_check_states=1 run_attempts=1 "
                + "lineage_runs=0 run_datasets=0 facets=0", Text(report));
        Assert.Equal(["default/3", "default/4", "default/6", "own/1"], await Ids("check_states", "result_id"));
        Assert.Equal(["default/1", "default/3", "default/6", "own/1"], await Ids("run_check_states", "result_id"));
        Assert.Equal(["default/kept", "own/old"], await Ids("run_attempts", "run_id"));
    }

    [Fact]
    public async Task An_organization_can_lower_the_number_of_days_but_not_raise_it()
    {
        await Organization("own", runs: 10, results: 90, events: 0);
        foreach (var organization in new[] { "default", "own", "not registered" })
        {
            foreach (var age in new[] { 5, 20, 40 })
            {
                await Result(organization, $"{age}", Days(-age));
                await Run(organization, $"{age}", Days(-age), events: [Days(-age)]);
            }
        }

        await Apply(new(30, 30, null));

        string[] remaining = ["default/20", "default/5", "not registered/20", "not registered/5"];
        Assert.Equal([.. remaining, "own/5"], await Ids("runs"));
        Assert.Equal([.. remaining, "own/5"], await Ids("run_events", "run_id"));
        Assert.Equal([.. remaining, "own/20", "own/5"], await Ids("check_results"));
        await Apply(new(null, null, null));
        Assert.Equal(5, (await Ids("runs")).Count);
    }

    [Fact]
    public async Task A_removal_can_be_limited_to_one_organization_and_one_kind()
    {
        foreach (var organization in new[] { "a", "b" })
        {
            await Result(organization, "x", Days(-40));
            await Run(organization, "x", Days(-40));
        }

        await Removal(new(30, 30, 30)).Apply(new(new HashSet<RetentionKind> { RetentionKind.Results }, "b"), Ct);

        Assert.Equal(["a/x"], await Ids("check_results"));
        Assert.Equal(["a/x", "b/x"], await Ids("runs"));
        var unknown = await Assert.ThrowsAsync<MigrationException>(() =>
            Removal(new(30, 30, 30)).Apply(RemovalScope.All with { Organization = "c" }, Ct));
        Assert.Equal(MigrationFault.UnknownTarget, unknown.Fault);
    }

    [Fact]
    public async Task A_deleted_pipeline_is_removed_after_its_history()
    {
        foreach (var (name, deleted) in new[] { ("live", (DateTimeOffset?)null), ("just deleted", Days(-29)),
            ("without history", Days(-31)), ("with a run", Days(-31)), ("with a result", Days(-31)), ("old history", Days(-31)) })
        {
            await Pipeline("default", name, deleted);
        }

        await Run("default", "young", Days(-3), pipeline: "with a run");
        await Result("default", "kept", Days(-50), pipeline: "with a result");
        await Run("default", "old", Days(-50), pipeline: "old history");
        var planned = await Count(new(30, null, null));

        var removed = await Apply(new(30, null, null));

        Assert.Equal(["default/just deleted", "default/live", "default/with a result", "default/with a run"], await Ids("pipelines"));
        Assert.Equal(await Ids("pipelines"), await Ids("pipeline_versions", "pipeline_id"));
        Assert.Equal(await Ids("pipelines"), await Ids("pipeline_tags", "pipeline_id"));
        Assert.Equal("default runs runs=1 run_stages=0 run_events=0 run_check_states=0 run_attempts=0 lineage_runs=0 run_datasets=0 "
            + "facets=0|"
            + "default pipelines pipelines=2 pipeline_versions=2 pipeline_tags=2 facets=0",
            Text(removed));
        Assert.Equal(Text(planned), Text(removed));
        await Apply(new(30, 30, null));
        Assert.DoesNotContain("default/with a result", await Ids("pipelines"));
    }

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
        var first = await new Removal(Migrations, new(30, 20, 10), Clock, LimitsOf(5))
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
            Task.Run(() => new Removal(other, new(30, 20, 10), Clock, LimitsOf(4)).Apply(RemovalScope.All, Ct)));

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

    protected DateTimeOffset Days(int days) => Now.AddDays(days);

    protected static string Text(RemovalReport report) => string.Join('|', report.Items.Select(item =>
        $"{item.Organization} {JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Kind.ToString())} "
            + $"{string.Join(' ', item.Rows.Select(table => $"{table.Table}={table.Rows}"))}"));

    protected Task<RemovalReport> Count(RetentionDays days) => Removal(days).Count(RemovalScope.All, Ct);

    protected Task<RemovalReport> Apply(RetentionDays days, int batch = 5000) => Removal(days, batch).Apply(RemovalScope.All, Ct);

    private Removal Removal(RetentionDays days, int batch = 5000) => new(Migrations, days, Clock, LimitsOf(batch));

    private static RemovalLimits LimitsOf(int batch) => new() { Batch = batch, Pause = TimeSpan.Zero };

    protected Task Result(string organization, string id, DateTimeOffset executed, DateTimeOffset? created = null, string pipeline = "p",
        string? run = null, string status = "pass", string check = "c") => Execute("""
        insert into check_results (organization_id, id, pipeline_id, check_id, run_id, status, severity, executed_at, request_hash, created_at)
        values (@organization, @id, @pipeline, @check, @run, @status, 'error', @executed, @hash, @created)
        """, new { organization, id, pipeline, check, run, status, executed, hash = Array.Empty<byte>(), created = created ?? executed });

    // Replaces the states of a check, and of the check within a run.
    private Task State(string organization, string check, string result, DateTimeOffset executed, string run) => Execute("""
        delete from check_states where organization_id = @organization and check_id = @check;
        insert into check_states (organization_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
        values (@organization, 'p', @check, @result, 'pass', 'error', 0, @executed);
        delete from run_check_states where organization_id = @organization and check_id = @check and run_id = @run;
        insert into run_check_states (organization_id, run_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
        values (@organization, @run, 'p', @check, @result, 'pass', 'error', 0, @executed)
        """, new { organization, check, result, executed, run });

    protected async Task Run(string organization, string id, DateTimeOffset created, string? reported = "completed",
        DateTimeOffset? updated = null, string pipeline = "p", DateTimeOffset[]? events = null, int stages = 0, string? gate = null)
    {
        await Execute("""
            insert into runs (organization_id, id, pipeline_id, status, reported_status, gate_check_id, created_at, updated_at)
            values (@organization, @id, @pipeline, @status, @reported, @gate, @created, @updated)
            """, new { organization, id, pipeline, status = gate is null ? reported ?? "pending" : "failed", reported, gate, created, updated = updated ?? created });
        foreach (var received in events ?? [])
        {
            await Execute(
                "insert into run_events (organization_id, run_id, digest, body, received_at) values (@organization, @id, @digest, "
                    + "'{}', @received)",
                new { organization, id, digest = BitConverter.GetBytes(_rows++), received });
        }

        for (var stage = 0; stage < stages; stage++)
        {
            await Execute(
                "insert into run_stages (organization_id, run_id, stage_name, status) values (@organization, @id, @stage, 'completed')",
                new { organization, id, stage = $"{stage}" });
        }
    }

    private async Task Pipeline(string organization, string id, DateTimeOffset? deleted)
    {
        await Execute("""
            insert into pipelines (organization_id, id, current_version, search_key, created_at, updated_at, deleted_at)
            values (@organization, @id, '1', '', @created, @created, @deleted)
            """, new { organization, id, created = Days(-100), deleted });
        await Execute(
            "insert into pipeline_versions (organization_id, pipeline_id, version, body, body_hash, created_at) values "
                + "(@organization, @id, '1', '{}', @hash, @created)",
            new { organization, id, hash = Array.Empty<byte>(), created = Days(-100) });
        await Execute("insert into pipeline_tags (organization_id, pipeline_id, tag) values (@organization, @id, 't')",
            new { organization, id });
    }

    private async Task Execution(string organization, string id, DateTimeOffset created, DateTimeOffset? finished)
    {
        await Execute("""
            insert into executions (organization_id, id, status, due_ms, created_at, finished_at)
            values (@organization, @id, @status, @due, @created, @finished)
            """, new
        {
            organization,
            id,
            status = finished is null ? "queued" : "completed",
            due = finished is null ? 1L : (long?)null,
            created,
            finished
        });
        await Execute("""
            insert into execution_checks (organization_id, execution_id, place, pipeline_id, check_id, severity)
            values (@organization, @id, 0, '', 'c', 'error')
            """, new { organization, id });
    }

    private Task Organization(string id, long? runs = null, long? results = null, long? events = null) => Execute("""
        insert into organizations (organization_id, name, plan, runs_kept_days, results_kept_days, events_kept_days, created_at, updated_at)
        values (@id, @id, 'free', @runs, @results, @events, @now, @now)
        """, new { id, runs, results, events, now = Now });

    // Fills three organizations with old and recent rows of every kind.
    private async Task FillAll()
    {
        await Organization("b", runs: 15, results: 40);
        foreach (var organization in new[] { "a", "b", "default" })
        {
            for (var i = 0; i < 20; i++)
            {
                await Run(organization, $"r{i}", Days(-i * 3), i % 7 == 0 ? "running" : "completed", updated: Days(-i),
                    pipeline: $"p{i % 4}", events: [Days(-i * 3), Days(-i * 2), Days(-i)], stages: i % 3);
                await Result(organization, $"x{i}", Days(-i * 3), created: Days(i % 5 == 0 ? -1 : -i * 3), pipeline: $"p{i % 4}",
                    run: $"r{i}");
                await Execution(organization, $"e{i}", Days(-i * 3), i % 6 == 0 ? null : Days(-i * 3));
            }

            // The history of these pipelines is old or empty.
            await Run(organization, "last of p5", Days(-60), pipeline: "p5", events: [Days(-60)]);
            await Result(organization, "last of p6", Days(-60), pipeline: "p6");
            for (var i = 0; i < 8; i++)
            {
                await Pipeline(organization, $"p{i}", i < 3 ? null : Days(-50));
            }
        }
    }

    protected async Task Execute(string sql, object? parameters)
    {
        // On SQLite an open writer blocks others. On Postgres one connection serves hundreds of writes, because the
        // migrator has no pool.
        if (Database is SqliteTestDatabase)
        {
            await using var connection = await Migrations.Source.OpenConnectionAsync(Ct);
            await connection.ExecuteAsync(sql, parameters);
            return;
        }

        _connection ??= await Migrations.Source.OpenConnectionAsync(Ct);
        await _connection.ExecuteAsync(sql, parameters);
    }

    protected async Task<List<string>> Ids(string table, string column = "id")
    {
        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        return [.. (await connection.QueryAsync<string>($"select organization_id || '/' || {column} from {table}"))
            .Order(StringComparer.Ordinal)];
    }

    private async Task<List<string>> Rows(string table)
    {
        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        return [.. (await connection.QueryAsync($"select * from {table}"))
            .Select(row =>
                string.Join('|', ((IDictionary<string, object?>)row).Select(cell => cell.Value is byte[] bytes
                    ? Convert.ToHexString(bytes) : $"{cell.Value}"))).Order(StringComparer.Ordinal)];
    }

    private async Task<string> Everything()
    {
        var rows = new List<string>();
        foreach (var table in new[] { "runs", "run_stages", "run_events", "check_results", "check_states", "run_check_states",
            "run_attempts", "executions", "execution_checks", "pipelines", "pipeline_versions", "pipeline_tags", "organizations",
            "audit_log" })
        {
            rows.AddRange(await Rows(table));
        }

        return string.Join('\n', rows);
    }

    private async Task<long> AuditedRows()
    {
        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        return (await connection.QueryAsync<string>("select detail from audit_log where actor = 'retention'"))
            .Sum(detail => JsonDocument.Parse(detail).RootElement.EnumerateObject()
                .Where(property => property.Name is not ("before" or "kept_days")).Sum(property => property.Value.GetInt64()));
    }
}
