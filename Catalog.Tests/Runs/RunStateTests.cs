using System.Diagnostics.Metrics;
using Catalog.Data.Checks;
using Catalog.Data.Migrations;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Runs;

public sealed class RunStateOnSqlite(SqliteTestDatabase database) : RunStateTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunStateOnPostgres(PostgresTestDatabase database) : RunStateTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// The state of a run is derived from its events; their order and repetition do not change the result.
/// </summary>
public abstract class RunStateTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = RandomRunEvents.Noon;
    private readonly SetClock _clock = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly TestDatabase _database;
    private readonly RunIngest _events;
    private readonly ResultIngest _results;
    private readonly RunRepository _runs;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    protected RunStateTests(TestDatabase database)
    {
        _database = database.Require();
        _events = Events(writers: 1);
        _results = new(_database.Database, new(1, 4096), Meters);
        _runs = new(_database.Database);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await new PipelineRegistration(_database.Database, TimeProvider.System)
            .Register("default", [new NewPipeline { Id = _pipeline, Version = "1", Body = "{}", BodyHash = [1] }], Ct);
        await _events.StartAsync(Ct);
        await _results.StartAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _events.StopAsync(CancellationToken.None);
        await _results.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [Trait("Fault", "F23")]
    [InlineData(25)]
    [InlineData(100, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Shuffled_and_repeated_events_end_in_the_same_state_as_ordered_ones(int histories)
    {
        for (var seed = 0; seed < histories; seed++)
        {
            var random = new Random(seed);
            var history = seed % 2 == 0 ? RandomRunEvents.Any(random, minutes: 5) : RandomRunEvents.Any(random, minutes: 20, attempts: 4);
            var ordered = await Feed($"ordered-{seed}", history);
            var shuffled = history.Concat(history.Where(_ => random.Next(3) == 0)).ToArray();
            random.Shuffle(shuffled);

            var actual = await Feed($"shuffled-{seed}", shuffled);

            Assert.Equal(RandomRunEvents.Comparable(ordered), RandomRunEvents.Comparable(actual));
            Assert.Equal(await Decisions($"ordered-{seed}"), await Decisions($"shuffled-{seed}"));
        }
    }

    [Theory]
    [InlineData(20)]
    [InlineData(200, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Attempts_are_found_in_every_order_of_their_events(int histories)
    {
        for (var seed = 0; seed < histories; seed++)
        {
            var random = new Random(seed);
            var (history, expected) = RandomRunEvents.WithAttempts(random);
            EventFields[] shuffled = [.. history, .. history.Where(_ => random.Next(3) == 0)];
            random.Shuffle(shuffled);

            var run = await Feed($"attempts-{seed}", shuffled);

            var last = run.Run;
            Assert.Equal(expected, [.. run.Attempts!, new RunAttempt
            {
                Attempt = last.Attempt, Status = last.Status, StartedAt = last.StartedAt, CompletedAt = last.CompletedAt,
                RecordsProcessed = last.RecordsProcessed, ErrorMessage = last.ErrorMessage,
            }]);
            Assert.Equal([$"stage {last.Attempt}"], run.Stages.Select(stage => stage.StageName));
            Assert.Equal($$"""{"try": {{last.Attempt}}}""", last.Metadata);
            Assert.Equal("url", last.ExternalUrl);
        }
    }

    [Fact]
    public async Task Events_of_one_run_have_the_same_result_in_one_batch_and_one_by_one()
    {
        EventFields[] history = [.. RandomRunEvents.Any(new Random(7), minutes: 5).Select((@event, i) =>
            @event with { ReceivedAt = Noon.AddMicroseconds(i) })];
        var single = await Feed("single", history);
        _clock.Time = Noon;

        // Events that are accepted before the writer starts share one batch.
        var events = Events(writers: 1);
        var taken = history.Select((@event, i) => events.Enqueue("default", Of(@event, "batch"))!.Value.AsTask()).ToList();
        await events.StartAsync(Ct);
        await events.StopAsync(Ct);

        Assert.Equal([RunOutcome.Created, .. Enumerable.Repeat(RunOutcome.Updated, history.Length - 1)], (await Task.WhenAll(taken))
            .Select(answer => answer.Single().Outcome));
        Assert.Equal(RandomRunEvents.Comparable(single), RandomRunEvents.Comparable((await _runs.Find("default", $"{_pipeline}-batch", Ct))!));
    }

    [Fact]
    public async Task A_start_within_a_minute_after_the_end_does_not_reopen_a_finished_run()
    {
        var run = await Feed("late", new EventFields { Status = "completed", CompletedAt = Noon },
            new() { Number = 1, Status = "running", StartedAt = Noon.AddSeconds(60) });

        Assert.Equal(("completed", 1), (run.Run.Status, run.Run.Attempt));
    }

    [Fact]
    public async Task The_latest_end_wins_and_at_equal_times_the_worst_status()
    {
        var retried = await Feed("retried", new EventFields { Status = "failed", CompletedAt = Noon },
            new() { Number = 1, Status = "completed", CompletedAt = Noon.AddMinutes(1) });
        var tied = await Feed("tied", new EventFields { Status = "failed", CompletedAt = Noon },
            new() { Number = 1, Status = "completed", CompletedAt = Noon });

        Assert.Equal(("completed", "failed"), (retried.Run.Status, tied.Run.Status));
    }

    [Fact]
    public async Task A_field_comes_from_the_latest_event_that_has_it()
    {
        var run = await Feed(
            "fields",
            new EventFields { Status = "completed", StartedAt = Noon, CompletedAt = Noon.AddMinutes(9), RecordsProcessed = 900 },
            new()
            {
                Number = 1,
                Status = "running",
                StartedAt = Noon,
                RecordsProcessed = 10,
                Trigger = "schedule",
                Metadata = """{"a": 1}""",
            });

        Assert.Equal((900, "schedule", """{"a": 1}"""), (run.Run.RecordsProcessed, run.Run.Trigger, run.Run.Metadata));
        Assert.Equal((Noon, Noon.AddMinutes(9)), (run.Run.StartedAt, run.Run.CompletedAt));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_check_marks_its_run_failed_in_either_order(bool checkFirst)
    {
        var id = $"{_pipeline}-gate-{checkFirst}";
        if (checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        await Take(Of(new() { Status = "completed", CompletedAt = Noon }, id[(_pipeline.Length + 1)..]));
        if (!checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        await Fail(id, "another_check");
        var run = (await _runs.Find("default", id, Ct))!;
        Assert.Equal(("failed", "another_check"), (run.Run.Status, run.Run.GateCheckId));
        Assert.Equal(2, run.Checks.Single(count => count.Status == "fail").Count);
    }

    [Fact]
    public async Task A_failed_check_can_precede_the_first_event_of_its_run()
    {
        await Fail($"{_pipeline}-early", "rows_exist");

        Assert.Equal("failed", (await _runs.Find("default", $"{_pipeline}-early", Ct))!.Run.Status);
        Assert.Equal(RunOutcome.Created, await Take(Of(new() { Status = "running" }, "early")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_event_may_switch_the_gate_off_in_either_order(bool checkFirst)
    {
        var id = $"{_pipeline}-off-{checkFirst}";
        if (checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        await Take(Of(new() { Status = "completed", CheckGate = false }, id[(_pipeline.Length + 1)..]));
        if (!checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        Assert.Equal("completed", (await _runs.Find("default", id, Ct))!.Run.Status);
    }

    [Fact]
    public async Task Warnings_passes_and_errors_do_not_change_the_run()
    {
        await Feed("calm", new EventFields { Status = "completed" });
        await Record($"{_pipeline}-calm", "a", "fail", "warn");
        await Record($"{_pipeline}-calm", "b", "warn", "error");
        await Record($"{_pipeline}-calm", "c", "error", "error");

        Assert.Equal("completed", (await _runs.Find("default", $"{_pipeline}-calm", Ct))!.Run.Status);
    }

    [Fact]
    public async Task Sixteen_writers_of_one_run_lose_nothing()
    {
        var events = Events(writers: 16);
        await events.StartAsync(Ct);
        await Parallel.ForEachAsync(Enumerable.Range(0, 64), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Ct },
            async (i, _) =>
            await events.Enqueue("default", Of(new()
            {
                Number = i,
                Status = "running",
                StartedAt = Noon.AddSeconds(i),
                CompletedAt = Noon.AddMinutes(1 + i),
                RecordsProcessed = i,
                Stages = [new StageReport { StageName = $"stage-{i % 4}", Status = "running", RecordsProcessed = i,
                    StartedAt = Noon.AddSeconds(i) }],
            }, "crowd"))!.Value);
        await events.StopAsync(Ct);

        var run = (await _runs.Find("default", $"{_pipeline}-crowd", Ct))!;
        Assert.Equal((Noon, Noon.AddMinutes(64), 63), (run.Run.StartedAt, run.Run.CompletedAt, run.Run.RecordsProcessed));
        Assert.Equal([60, 61, 62, 63], run.Stages.Select(stage => stage.RecordsProcessed!.Value));
        Assert.Equal(64, (await new RunEventRepository(_database.Database).List("default", run.Run.Id, null, 500, Ct))!.Items.Count);
    }

    private async Task<RunDetail> Feed(string name, params EventFields[] events)
    {
        var received = new HashSet<EventFields>();
        foreach (var @event in events)
        {
            _clock.Time = received.Add(@event) ? @event.ReceivedAt : @event.ReceivedAt.AddDays(1);
            await Take(Of(@event, name));
        }

        return (await _runs.Find("default", $"{_pipeline}-{name}", Ct))!;
    }

    private async Task<RunOutcome> Take(RunEvent @event) => (await _events.Enqueue("default", @event)!.Value).Single().Outcome;

    private RunEvent Of(EventFields fields, string name) => fields.ToEvent($"{_pipeline}-{name}", _pipeline);

    // The stored times that decide whether a further event changes a field.
    private async Task<List<string>> Decisions(string name)
    {
        const string Sql = """
            select decided_at from runs where organization_id = 'default' and id = @id
            union all select attempt || decided_at from run_attempts where organization_id = 'default' and run_id = @id
            union all select stage_name || decided_at from run_stages where organization_id = 'default' and run_id = @id
            """;
        await using var database = MigrationDatabase.Open(_database.Settings);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return [.. (await connection.QueryAsync<string>(Sql, new { id = $"{_pipeline}-{name}" }))
            .Select(row => string.Join(',', row.Split('{', ',', '}').Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal)];
    }

    private Task Fail(string runId, string checkId) => Record(runId, checkId, "fail", "error");

    private Task Record(string runId, string checkId, string status, string severity) => _results.Enqueue("default",
    [
        new CheckResult
        {
            Id = Guid.NewGuid().ToString(), PipelineId = _pipeline, CheckId = checkId, RunId = runId, Status = status, Severity = severity,
            ExecutedAt = Noon, CreatedAt = Noon, RequestHash = [1],
        },
    ], 1)!.Value.AsTask();

    private IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    private RunIngest Events(int writers) => new(_database.Database, new(writers, 4096), _clock, Meters);
}
