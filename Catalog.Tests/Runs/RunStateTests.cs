using System.Diagnostics.Metrics;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Runs;

public sealed class RunStateOnSqlite(SqliteTestDatabase database) : RunStateTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunStateOnPostgres(PostgresTestDatabase database) : RunStateTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// The state of a run is derived from its events; their order and repetition do not change the result.
/// </summary>
public abstract class RunStateTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
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
    [InlineData(25)]
    [InlineData(100, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Shuffled_and_repeated_events_end_in_the_same_state_as_ordered_ones(int histories)
    {
        for (var seed = 0; seed < histories; seed++)
        {
            var random = new Random(seed);
            var history = History(random);
            var ordered = await Feed($"ordered-{seed}", history);
            var shuffled = history.Concat(history.Where(_ => random.Next(3) == 0)).ToArray();
            random.Shuffle(shuffled);

            var actual = await Feed($"shuffled-{seed}", shuffled);

            Assert.Equal(Comparable(ordered), Comparable(actual));
        }
    }

    [Fact]
    public async Task Events_of_one_run_have_the_same_result_in_one_batch_and_one_by_one()
    {
        var history = History(new Random(7));
        var single = await Feed("single", history);

        // Events that are accepted before the writer starts share one batch.
        var events = Events(writers: 1);
        var taken = history.Select((@event, i) => events.Enqueue("default", Of(@event, "batch", i))!.Value.AsTask()).ToList();
        await events.StartAsync(Ct);
        await events.StopAsync(Ct);

        Assert.Equal([RunOutcome.Created, .. Enumerable.Repeat(RunOutcome.Updated, history.Length - 1)], (await Task.WhenAll(taken))
            .Select(answer => answer.Single().Outcome));
        Assert.Equal(Comparable(single), Comparable((await _runs.Find("default", $"{_pipeline}-batch", Ct))!));
    }

    [Fact]
    public async Task A_late_start_does_not_reopen_a_finished_run()
    {
        var run = await Feed("late", new EventFields { Status = "completed", CompletedAt = Noon },
            new() { Status = "running", StartedAt = Noon.AddHours(1) });

        Assert.Equal("completed", run.Run.Status);
    }

    [Fact]
    public async Task The_latest_end_wins_and_at_equal_times_the_worst_status()
    {
        var retried = await Feed("retried", new EventFields { Status = "failed", CompletedAt = Noon },
            new() { Status = "completed", CompletedAt = Noon.AddMinutes(1) });
        var tied = await Feed("tied", new EventFields { Status = "failed", CompletedAt = Noon },
            new() { Status = "completed", CompletedAt = Noon });

        Assert.Equal(("completed", "failed"), (retried.Run.Status, tied.Run.Status));
    }

    [Fact]
    public async Task A_field_comes_from_the_latest_event_that_has_it()
    {
        var run = await Feed(
            "fields",
            new EventFields { Status = "completed", StartedAt = Noon, CompletedAt = Noon.AddMinutes(9), RecordsProcessed = 900 },
            new() { Status = "running", StartedAt = Noon, RecordsProcessed = 10, Trigger = "schedule", Metadata = """{"a": 1}""" });

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

        await Take(Of(new() { Status = "completed", CompletedAt = Noon }, id[(_pipeline.Length + 1)..], 0));
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
        Assert.Equal(RunOutcome.Created, await Take(Of(new() { Status = "running" }, "early", 0)));
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

        await Take(Of(new() { Status = "completed", CheckGate = false }, id[(_pipeline.Length + 1)..], 0));
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
                Status = "running",
                StartedAt = Noon.AddSeconds(i),
                CompletedAt = Noon.AddMinutes(i),
                RecordsProcessed = i,
                Stages = [new StageReport { StageName = $"stage-{i % 4}", Status = "running", RecordsProcessed = i,
                    StartedAt = Noon.AddSeconds(i) }],
            }, "crowd", i))!.Value);
        await events.StopAsync(Ct);

        var run = (await _runs.Find("default", $"{_pipeline}-crowd", Ct))!;
        Assert.Equal((Noon, Noon.AddMinutes(63), 63), (run.Run.StartedAt, run.Run.CompletedAt, run.Run.RecordsProcessed));
        Assert.Equal([60, 61, 62, 63], run.Stages.Select(stage => stage.RecordsProcessed!.Value));
        Assert.Equal(64, (await _runs.Events("default", run.Run.Id, null, 500, Ct))!.Items.Count);
    }

    // The fields of an event that a test sets; the run, the digest and the body are added.
    private sealed record EventFields
    {
        public string? Status { get; init; }
        public DateTimeOffset? StartedAt { get; init; }
        public DateTimeOffset? CompletedAt { get; init; }
        public long? RecordsProcessed { get; init; }
        public string? ErrorMessage { get; init; }
        public string? Trigger { get; init; }
        public string? Metadata { get; init; }
        public ClearableFields Clears { get; init; }
        public bool? CheckGate { get; init; }
        public IReadOnlyList<StageReport> Stages { get; init; } = [];
    }

    private static EventFields[] History(Random random)
    {
        string[] words = ["pending", "running", "completed", "failed", "cancelled", "skipped"];
        DateTimeOffset? RandomTime() => random.Next(4) == 0 ? null : Noon.AddMinutes(random.Next(5));
        string? RandomText(string text) => random.Next(2) == 0 ? null : $"{text} {random.Next(3)}";
        ClearableFields RandomNulls() => random.Next(3) == 0 ? (ClearableFields)random.Next(32) : ClearableFields.None;
        return
        [
            .. Enumerable.Range(0, random.Next(2, 9)).Select(_ => new EventFields
            {
                Status = words[random.Next(words.Length)],
                StartedAt = RandomTime(),
                CompletedAt = random.Next(2) == 0 ? null : RandomTime(),
                RecordsProcessed = random.Next(3) == 0 ? null : random.Next(5),
                ErrorMessage = RandomText("error"),
                Trigger = RandomText("trigger"),
                Metadata = RandomText("metadata"),
                Clears = RandomNulls(),
                CheckGate = random.Next(6) == 0 ? false : null,
                Stages = random.Next(2) == 0
                    ? [] : [new StageReport { StageName = $"stage {random.Next(2)}", Status = words[random.Next(words.Length)],
                        CompletedAt = RandomTime(), RecordsProcessed = random.Next(3) == 0
                            ? null : random.Next(4), ErrorMessage = RandomText("error"), Clears = RandomNulls() }],
            }),
        ];
    }

    private async Task<RunDetail> Feed(string name, params EventFields[] events)
    {
        foreach (var (i, @event) in events.Index())
        {
            await Take(Of(@event, name, i));
        }

        return (await _runs.Find("default", $"{_pipeline}-{name}", Ct))!;
    }

    private async Task<RunOutcome> Take(RunEvent @event) => (await _events.Enqueue("default", @event)!.Value).Single().Outcome;

    private RunEvent Of(EventFields fields, string name, int i) => new()
    {
        RunId = $"{_pipeline}-{name}",
        PipelineId = _pipeline,
        Status = fields.Status,
        StartedAt = fields.StartedAt,
        CompletedAt = fields.CompletedAt,
        RecordsProcessed = fields.RecordsProcessed,
        ErrorMessage = fields.ErrorMessage,
        Trigger = fields.Trigger,
        Metadata = fields.Metadata,
        Clears = fields.Clears,
        CheckGate = fields.CheckGate,
        Stages = fields.Stages,
        Digest = BitConverter.GetBytes(i),
        Body = "{}",
    };

    private static string Comparable(RunDetail detail) =>
        detail.Run with { Id = "", CreatedAt = default, UpdatedAt = default } + string.Concat(
            detail.Stages.Select(stage => stage with { RunId = "" }));

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

    private RunIngest Events(int writers) => new(_database.Database, new(writers, 4096), TimeProvider.System, Meters);
}
