using System.Diagnostics.Metrics;
using Catalog.Data.Checks;
using Catalog.Data.Migrations;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using static Catalog.Tests.Checks.RandomCheckResults;

namespace Catalog.Tests.Checks;

public sealed class CheckStateOnSqlite(SqliteTestDatabase database) : CheckStateTests(database), IClassFixture<SqliteTestDatabase>;

/// <summary>
/// The states of checks, and the gates of runs, depend on the stored results and events and not on their order. Each
/// history has an organization of its own.
/// </summary>
public abstract class CheckStateTests : IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly TestDatabase _database;
    private readonly ResultIngest _results;
    private readonly ResultIngest _otherResults;
    private readonly RunIngest _events;
    private readonly RunRepository _runs;

    protected CheckStateTests(TestDatabase database)
    {
        _database = database.Require();
        _results = new(_database.Database, new(1, 4096), Meters);
        _otherResults = new(_database.Database, new(4, 4096), Meters);
        _events = new(_database.Database, new(2, 4096), TimeProvider.System, Meters);
        _runs = new(_database.Database);
    }

    protected string Organization { get; } = $"o-{Guid.NewGuid():N}";

    protected string Address => _database.Address;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(_results.StartAsync(Ct), _otherResults.StartAsync(Ct), _events.StartAsync(Ct));
        await Register(Organization);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_results.StopAsync(Ct), _otherResults.StopAsync(Ct), _events.StopAsync(Ct));
        await _services.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(300, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Results_and_events_in_any_order_give_equal_tables(int histories)
    {
        for (var seed = 0; seed < histories; seed++)
        {
            var random = new Random(seed);
            var history = RandomCheckResults.Any(random);
            var expected = RandomCheckResults.Tables(history);
            foreach (var way in new[] { "ordered", "shuffled", "parallel" })
            {
                var organization = $"{Organization}-{seed}-{way}";
                await Register(organization);
                // Some items are sent twice. A repeat arrives at another time, and it must change nothing.
                var sent = way == "ordered" ? history : [.. history, .. history.Where(_ => random.Next(3) == 0)];
                if (way != "ordered")
                {
                    random.Shuffle(sent);
                }

                var requests = way == "ordered" ? sent.Select(item => new[] { item }).ToList() : Requests(sent, random);
                await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = way == "parallel" ? 8 : 1 },
                    async (request, _) => await Send(organization, request, way == "parallel" && request.Length % 2 == 0));

                Assert.Equal(expected, await Tables(organization));
            }
        }
    }

    [Fact]
    public async Task Every_permutation_of_a_failure_a_pass_and_an_event_gives_equal_tables()
    {
        object[] history =
        [
            Result("c", "fail", 1, "r"), Result("c", "pass", 2, "r"), Result("d", "fail", 1, "r"), Result("d", "error", 1, "r"),
            new RunEvent { RunId = "r", PipelineId = Nightly, Status = "completed", Digest = [1], Body = "{}" },
        ];
        var expected = RandomCheckResults.Tables(history);
        Assert.Contains("run r failed gate d", expected, StringComparison.Ordinal);
        foreach (var (place, permutation) in Permutations(history).Index())
        {
            var organization = $"{Organization}-{place}";
            await Register(organization);
            foreach (var item in permutation)
            {
                await Send(organization, [item], false);
            }

            Assert.Equal(expected, await Tables(organization));
        }
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task A_check_that_failed_and_then_passed_lifts_the_gate_in_either_order(int first, int second)
    {
        await Complete("r");
        foreach (var minute in new[] { first, second })
        {
            await Send(Result("c", minute == 1 ? "fail" : "pass", minute, "r"));
        }

        Assert.Equal(("completed", null), await Gate("r"));
    }

    [Fact]
    public async Task The_gate_names_the_first_check_that_still_fails_and_a_later_failure_closes_it_again()
    {
        await Complete("r");
        await Send(Result("a", "fail", 1, "r"));
        await Send(Result("b", "fail", 1, "r"));
        Assert.Equal(("failed", "a"), await Gate("r"));

        await Send(Result("a", "pass", 2, "r"));
        Assert.Equal(("failed", "b"), await Gate("r"));

        await Send(Result("b", "error", 2, "r"));
        Assert.Equal(("completed", null), await Gate("r"));

        await Send(Result("b", "fail", 3, "r"));
        Assert.Equal(("failed", "b"), await Gate("r"));
    }

    [Fact]
    public async Task A_failed_check_of_another_run_does_not_keep_the_gate_closed()
    {
        await Complete("r");
        await Send(Result("a", "fail", 1, "r"));
        await Send(Result("a", "fail", 3, "other"));
        await Send(Result("a", "pass", 2, "r"));

        Assert.Equal(("completed", null), await Gate("r"));
        Assert.Equal(("failed", "a"), await Gate("other"));
    }

    [Fact]
    public async Task A_gate_that_was_switched_off_keeps_the_reported_status()
    {
        await Send(new RunEvent
        {
            RunId = "r",
            PipelineId = Nightly,
            Status = "completed",
            CheckGate = false,
            Digest = [1],
            Body = "{}"
        });
        await Send(Result("a", "fail", 1, "r"));
        Assert.Equal(("completed", "a"), await Gate("r"));
        await Send(Result("a", "pass", 2, "r"));
        Assert.Equal(("completed", null), await Gate("r"));
    }

    // The previous release may run beside this one. It closes and lifts gates by the states in run_check_states.
    [Fact]
    public async Task A_gate_that_follows_the_results_leaves_no_state_to_the_previous_release()
    {
        await Complete("r");
        await Send(Result("a", "fail", 1, "r"));
        await Execute("""
            insert into run_check_states (organization_id, run_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
            values (@organization, 'r', 'nightly', 'a', 'x', 'fail', 'error', 4, '2026-01-01')
            """);

        await Send(Result("a", "pass", 2, "r"));

        Assert.Equal(("completed", null), await Gate("r"));
        Assert.Equal(0, await Execute("delete from run_check_states where organization_id = @organization"));
    }

    [Fact]
    public async Task A_gate_whose_result_retention_removed_stays_closed_until_its_check_passes()
    {
        await Complete("r");
        await Send(Result("a", "fail", 1, "r"));
        await Execute("delete from check_results where organization_id = @organization");

        await Send(Result("b", "pass", 2, "r"));
        Assert.Equal(("failed", "a"), await Gate("r"));
        await Send(Result("a", "pass", 3, "r"));
        Assert.Equal(("completed", null), await Gate("r"));
    }

    [Fact]
    public async Task A_refused_result_changes_no_state()
    {
        await Complete("r");
        await Send(Result("a", "pass", 1, "r", id: "x"));
        var before = await Tables(Organization);

        await Send(Result("a", "fail", 2, "r", id: "x") with { RequestHash = [9] });
        await Send(Result("a", "fail", 2, "r") with { PipelineId = "other" });
        await Send(Result("a", "pass", 2, "r") with { PipelineId = "other" });
        await Send(Result("a", "fail", 2) with { PipelineId = "nobody" });
        // If an id from an idempotency key is already taken, the whole request is refused.
        await Send(Organization,
        [
            Result("a", "fail", 3, "r") with { IdIsDerived = true },
            Result("x", "pass", 3, id: "x") with { IdIsDerived = true, RequestHash = [9] },
        ], false);

        Assert.Equal(before, await Tables(Organization));
    }

    private async Task<string> Tables(string organization)
    {
        await using var database = MigrationDatabase.Open(_database.Settings);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        var runs = await connection.QueryAsync<Run>("select * from runs where organization_id = @organization", new { organization });
        var checks = (await connection.QueryAsync<CheckResult, long, (CheckResult Result, long Rank)>(
            "select result_id as id, states.*, rank from check_states as states where organization_id = @organization",
            (result, rank) => (result, rank), new { organization }, splitOn: "rank")).AsList();
        Assert.All(checks, state => Assert.Equal(Rank(state.Result), state.Rank));
        return Text(
            runs.Select(run => $"run {run.Id} {run.Status} gate {run.GateCheckId}"),
            checks.Select(state => $"{Line(state.Result)} {state.Result.Dataset} {state.Result.ObservedNumber}"));
    }

    protected Task Send(object item) => Send(Organization, [item], false);

    private async Task Send(string organization, object[] request, bool otherWriter)
    {
        if (request[0] is RunEvent @event)
        {
            await _events.Enqueue(organization, @event)!.Value;
            return;
        }

        await (otherWriter ? _otherResults : _results).Enqueue(organization, [.. request.Cast<CheckResult>()], 1)!.Value;
    }

    protected Task Complete(string run) =>
        Send(new RunEvent { RunId = run, PipelineId = Nightly, Status = "completed", CompletedAt = Noon, Digest = [1], Body = "{}" });

    protected async Task<(string, string?)> Gate(string run)
    {
        var found = (await _runs.Find(Organization, run, Ct))!.Run;
        return (found.Status, found.GateCheckId);
    }

    private async Task<int> Execute(string sql)
    {
        await using var database = MigrationDatabase.Open(_database.Settings);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteAsync(sql, new { organization = Organization });
    }

    private Task Register(string organization) => new PipelineRegistration(_database.Database, TimeProvider.System).Register(organization,
        [.. new[] { Nightly, "other" }.Select(id => new NewPipeline { Id = id, Version = "1", Body = "{}", BodyHash = [1] })], Ct);

    private IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();
}
