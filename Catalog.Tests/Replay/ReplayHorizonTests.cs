using Catalog.Tests.Support;

namespace Catalog.Tests.Replay;

public sealed class ReplayHorizonOnSqlite : ReplayHorizonTests
{
    protected override TestDatabase New() => new SqliteTestDatabase();
}

public sealed class ReplayHorizonOnPostgres : ReplayHorizonTests
{
    protected override TestDatabase New() => new PostgresTestDatabase();
}

/// <summary>A replay of a part of the log leaves alone what the other part reported, and what retention removed.</summary>
public abstract class ReplayHorizonTests : ReplaySteps
{
    private const string Hive = """{"namespace":"hive","name":"orders"}""";
    private const string Table = """{"namespace":"postgres://db:5432","name":"shop.public.orders"}""";
    private const string Other = """{"namespace":"hive","name":"other"}""";

    private static readonly DateTimeOffset Day = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

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
    public async Task Names_that_were_joined_before_the_horizon_stay_joined()
    {
        var joined = $$"""
            {"namespace":"postgres://db:5432","name":"shop.public.orders",
             "facets":{"symlinks":{"identifiers":[{"namespace":"hive","name":"orders","type":"TABLE"}]} } }
            """;
        await Store("default", [Event("r1", "COMPLETE", Day, [joined], [Other])], Day);
        await Store("default", [Event("r2", "COMPLETE", Day.AddDays(2), [Other], [Table])], Day.AddDays(2));
        await Store("default", [Event("r3", "COMPLETE", Day.AddDays(3), [Hive], [])], Day.AddDays(3));

        Assert.Equal("", Differences(await Console("--dry-run", "--json", "--since", "2026-06-02T00:00:00Z")));
    }

    [Fact]
    public async Task A_run_that_began_before_the_horizon_does_not_end_edges_that_began_after_it()
    {
        var (before, after) = (Day.AddHours(-1), Day.AddHours(1));
        await Store("default", [Event("long", "START", before, [Hive], [Other])], before);
        await Store("default", [Event("short", "COMPLETE", Day.AddMinutes(5), [Table], [Other])], Day.AddMinutes(5));
        await Store("default", [Event("long", "COMPLETE", after, [Hive], [Other])], after);

        Assert.Equal("", Differences(await Console("--dry-run", "--json", "--since", "2026-06-01T00:00:00Z")));
    }

    [Fact]
    public async Task Since_replaces_only_what_was_first_reported_since()
    {
        await Store("default", [Event("old", "COMPLETE", Day, [Hive], [Other])], Day);
        await Store("default", [Event("new", "COMPLETE", Day.AddDays(2), [Table], [Other])], Day.AddDays(2));
        await Execute("update lineage_runs set completed = false; update runs set status = 'failed', reported_status = 'failed'; "
            + "update run_events set body = replace(body, '\"completed\"', '\"failed\"'), "
            + "report = replace(report, '\"completed\"', '\"failed\"')");

        Assert.Equal(0, (await Console("apply", "--since", "2026-06-02T00:00:00Z")).Exit);

        Assert.Equal(1, await Scalar("select count(*) from lineage_runs where run_id = 'new' and completed"));
        Assert.Equal(1, await Scalar("select count(*) from lineage_runs where run_id = 'old' and not completed"));
        Assert.Equal(1, await Scalar("select count(*) from runs where id = 'new' and status = 'completed'"));
        Assert.Equal(1, await Scalar("select count(*) from runs where id = 'old' and status = 'failed'"));
    }

    [Fact]
    public async Task Results_that_retention_removed_do_not_come_back()
    {
        var asserted = """
            {"namespace":"hive","name":"orders","facets":{"dataQualityAssertions":
             {"assertions":[{"assertion":"not_null","column":"id","success":true}]} } }
            """;
        await Store("default", [Event("run", "COMPLETE", Day, [asserted], [Other])], Day);
        Assert.Equal(1, await Scalar("select count(*) from check_results"));
        await Execute("delete from check_states; delete from run_check_states; delete from check_results; "
            + "insert into organizations (organization_id, name, plan, results_kept_days, created_at, updated_at) "
            + "values ('default', 'd', 'free', 1, @now, @now)");

        Assert.Equal("", Differences(await Console("--dry-run", "--json")));
    }

    private static string Event(string run, string type, DateTimeOffset at, string[] inputs, string[] outputs) => $$"""
        {"eventType":"{{type}}","eventTime":"{{at:O}}","run":{"runId":"{{run}}"},"job":{"namespace":"n","name":"j"},
         "inputs":[{{string.Join(',', inputs)}}],"outputs":[{{string.Join(',', outputs)}}],"producer":"p"}
        """;
}
