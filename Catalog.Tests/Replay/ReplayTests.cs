using System.Data.Common;
using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Migrations.Retention;
using Catalog.Tests.Dbt;
using Catalog.Tests.OpenLineage;
using Catalog.Tests.Otlp;
using Catalog.Tests.Support;

namespace Catalog.Tests.Replay;

public sealed class ReplayOnSqlite : ReplayTests
{
    protected override TestDatabase New() => new SqliteTestDatabase();

    protected override Task LeaveShadow() => File.WriteAllTextAsync($"{Database.Address}.replay", "left by a killed replay", Ct);

    protected override Task<IAsyncDisposable> Running() => Task.FromResult<IAsyncDisposable>(
        new FileStream($"{Database.Address}.replay-lock", FileMode.Create, FileAccess.ReadWrite, FileShare.None));

    protected override Task RefuseResults() => Execute("""
        create trigger refuse before insert on check_results begin select raise(abort, 'refused'); end
        """);
}

public sealed class ReplayOnPostgres : ReplayTests
{
    // The lock ends with its session, so the session stays open until the end of the test.
    private MigrationDatabase? _migrations;
    private DbConnection? _session;

    public override async ValueTask DisposeAsync()
    {
        await (_session?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_migrations?.DisposeAsync() ?? ValueTask.CompletedTask);
        await base.DisposeAsync();
    }

    protected override TestDatabase New() => new PostgresTestDatabase();

    protected override Task LeaveShadow() =>
        Execute("create schema catalog_replay; create table catalog_replay.facets (left_by text)");

    protected override async Task<IAsyncDisposable> Running()
    {
        _migrations = MigrationDatabase.Open(Database.Settings);
        _session = await _migrations.Source.OpenConnectionAsync(Ct);
        return (await RemovalEngine.For(_migrations).Lock(_session, TimeSpan.Zero, _ => { }, Ct))!;
    }

    protected override Task RefuseResults() =>
        Execute("alter table check_results add constraint refuse check (status = 'none') not valid");
}

/// <summary>A replay finds and repairs every difference between the tables and the log.</summary>
public abstract class ReplayTests : ReplaySteps
{
    /// <summary>Leaves what a killed replay leaves.</summary>
    protected abstract Task LeaveShadow();

    /// <summary>Holds what a running replay holds.</summary>
    protected abstract Task<IAsyncDisposable> Running();

    /// <summary>Makes the last step of a replacement fail.</summary>
    protected abstract Task RefuseResults();

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
    public async Task Nothing_differs_after_dbt_artifacts_and_traces()
    {
        await Store("default", [.. DbtFoldTests.Examples, .. OtlpTracesTests.Events(OtlpTracesTests.Invocation)]);
        Assert.Equal("", Differences(await Console("--dry-run", "--json")));
        var intact = await FoldedTables.Read(Database);
        await Execute("""
            delete from lineage_edges; update check_results set status = 'warn'; delete from facets; delete from run_datasets;
            delete from checks where id = 'test.shop.broken.3'; update checks set kind = 'x'
            """);

        Assert.Equal(0, (await Console("apply")).Exit);

        Assert.Equal(intact, await FoldedTables.Read(Database));
    }

    [Fact]
    public async Task A_run_gets_the_pipeline_that_the_log_names()
    {
        await Store("default", Events(0, 1));
        var intact = await FoldedTables.Read(Database);
        await Execute("""
            update lineage_runs set pipeline_id = 'airflow/dag' where pipeline_id like 'airflow/dag.task%';
            update runs set pipeline_id = 'airflow/dag' where pipeline_id like 'airflow/dag.task%'
            """);
        Assert.NotEqual(intact, await FoldedTables.Read(Database));

        Assert.Equal(0, (await Console("apply")).Exit);

        Assert.Equal(intact, await FoldedTables.Read(Database));
    }

    // The service stored each event alone; the replay folds them as one batch.
    [Fact]
    public async Task Nothing_differs_after_two_jobs_used_the_same_run_id()
    {
        var at = OpenLineageFoldTests.Now;
        foreach (var (job, type, dataset) in new[]
        {
            ("owner", "START", "a"), ("other", "START", "b"), ("owner", "RUNNING", "c"), ("other", "COMPLETE", "d"),
            ("owner", "COMPLETE", "e"),
        })
        {
            at = at.AddSeconds(1);
            var text = JsonSerializer.Serialize(new
            {
                eventType = type,
                eventTime = at,
                run = new { runId = "shared", facets = new { nominalTime = new { nominalStartTime = $"{job} {type}" } } },
                job = new { @namespace = "ns", name = job },
                inputs = new[] { new { @namespace = "db", name = $"in_{dataset}" } },
                outputs = new[] { new { @namespace = "db", name = $"out_{dataset}" } },
            });
            await Store("default", [text], at);
        }

        Assert.Equal(6, await Scalar("select count(*) from run_datasets where run_id = 'shared'"));
        Assert.Equal(3, await Scalar("select count(*) from facets where subject = 'run' and subject_id = 'shared'"));
        Assert.Equal(2, await Scalar("select events from unread_facets where reason = 'run_id_taken'"));
        Assert.Equal("", Differences(await Console("--dry-run", "--json")));
    }

    [Fact]
    public async Task Descriptions_are_replaced()
    {
        await Store("default", Events(0, 1));
        var intact = await FoldedTables.Read(Database);
        await Execute("update pipelines set description = 'wrong' where id like 'airflow/dag.task%'");

        Assert.Contains("pipelines ", Differences(await Console("--dry-run", "--json")));
        Assert.Equal(0, (await Console("apply")).Exit);

        Assert.Equal(intact, await FoldedTables.Read(Database));
    }

    [Fact]
    public async Task Nothing_differs_after_a_pipeline_was_deleted()
    {
        await Store("default", Events(0));
        using var client = Database.SharedService().Client();
        var id = Uri.EscapeDataString("airflow/dag.task1");
        (await client.DeleteAsync($"/api/v1/pipelines/{id}", Ct)).EnsureSuccessStatusCode();
        await Store("default", Events(1), DateTimeOffset.UtcNow);

        Assert.Equal("", Differences(await Console("--dry-run", "--json")));
    }

    [Fact]
    public async Task A_second_replay_is_refused_while_one_runs()
    {
        await Store("default", Events(0));
        await using var running = await Running();

        var refused = await Console("apply", "--wait", "1");

        Assert.Equal(5, refused.Exit);
        Assert.Contains("nother replay", refused.Errors);
    }

    [Fact]
    public async Task A_replay_that_fails_changes_nothing()
    {
        await Store("default", Events(0, 1));
        await Damage("default");
        var damaged = await FoldedTables.Read(Database);
        await RefuseResults();

        Assert.Equal(1, (await Console("apply")).Exit);

        Assert.Equal(damaged, await FoldedTables.Read(Database));
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
}
