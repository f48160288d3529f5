using System.Diagnostics.Metrics;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Runs;

public sealed class RunStateOnSqlite(SqliteTestDatabase database) : RunStateTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunStateOnPostgres(PostgresTestDatabase database) : RunStateTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>A run's state is derived from its events: in whatever order and however often they arrive, it ends the same.</summary>
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

    [Fact]
    public async Task A_hundred_shuffled_and_repeated_histories_end_as_the_ordered_one()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var history = History(random);
            var ordered = await Feed($"ordered-{seed}", history);
            var shuffled = history.Concat(history.Where(_ => random.Next(3) == 0)).ToArray();
            random.Shuffle(shuffled);

            var found = await Feed($"shuffled-{seed}", shuffled);

            Assert.Equal(Comparable(ordered), Comparable(found));
        }
    }

    [Fact]
    public async Task Events_of_one_run_in_one_batch_end_as_one_by_one()
    {
        var history = History(new Random(7));
        var single = await Feed("single", history);

        // What was taken before anything is written shares a batch.
        var events = Events(writers: 1);
        var taken = history.Select((@event, i) => events.Enqueue("default", Of(@event, "batch", i))!.Value.AsTask()).ToList();
        await events.StartAsync(Ct);
        await events.StopAsync(Ct);

        Assert.Equal([RunOutcome.Created, .. Enumerable.Repeat(RunOutcome.Updated, history.Length - 1)], (await Task.WhenAll(taken)).Select(answer => answer.Single().Outcome));
        Assert.Equal(Comparable(single), Comparable((await _runs.Find("default", $"{_pipeline}-batch", Ct))!));
    }

    [Fact]
    public async Task A_late_start_does_not_reopen_a_finished_run()
    {
        var run = await Feed("late", new Blank { Status = "completed", CompletedAt = Noon }, new() { Status = "running", StartedAt = Noon.AddHours(1) });

        Assert.Equal("completed", run.Run.Status);
    }

    [Fact]
    public async Task Among_ends_the_latest_counts_and_at_the_same_time_the_worst()
    {
        var retried = await Feed("retried", new Blank { Status = "failed", CompletedAt = Noon }, new() { Status = "completed", CompletedAt = Noon.AddMinutes(1) });
        var tied = await Feed("tied", new Blank { Status = "failed", CompletedAt = Noon }, new() { Status = "completed", CompletedAt = Noon });

        Assert.Equal(("completed", "failed"), (retried.Run.Status, tied.Run.Status));
    }

    [Fact]
    public async Task A_field_comes_from_the_latest_event_that_has_it()
    {
        var run = await Feed(
            "fields",
            new Blank { Status = "completed", StartedAt = Noon, CompletedAt = Noon.AddMinutes(9), RecordsProcessed = 900 },
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
    public async Task A_failed_check_names_a_run_that_is_not_known_yet()
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
    public async Task Warnings_passes_and_errors_leave_the_run_alone()
    {
        await Feed("calm", new Blank { Status = "completed" });
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
        await Parallel.ForEachAsync(Enumerable.Range(0, 64), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Ct }, async (i, _) =>
            await events.Enqueue("default", Of(new()
            {
                Status = "running",
                StartedAt = Noon.AddSeconds(i),
                CompletedAt = Noon.AddMinutes(i),
                RecordsProcessed = i,
                Stages = [new StageReport { StageName = $"stage-{i % 4}", Status = "running", RecordsProcessed = i, StartedAt = Noon.AddSeconds(i) }],
            }, "crowd", i))!.Value);
        await events.StopAsync(Ct);

        var run = (await _runs.Find("default", $"{_pipeline}-crowd", Ct))!;
        Assert.Equal((Noon, Noon.AddMinutes(63), 63), (run.Run.StartedAt, run.Run.CompletedAt, run.Run.RecordsProcessed));
        Assert.Equal([60, 61, 62, 63], run.Stages.Select(stage => stage.RecordsProcessed!.Value));
        Assert.Equal(64, (await _runs.Events("default", run.Run.Id, null, 500, Ct))!.Items.Count);
    }

    // What a test says of an event; the run, the digest and the body follow.
    private sealed record Blank
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

    private static Blank[] History(Random random)
    {
        string[] words = ["pending", "running", "completed", "failed", "cancelled", "skipped"];
        DateTimeOffset? Sometime() => random.Next(4) == 0 ? null : Noon.AddMinutes(random.Next(5));
        string? Perhaps(string text) => random.Next(2) == 0 ? null : $"{text} {random.Next(3)}";
        ClearableFields Nulls() => random.Next(3) == 0 ? (ClearableFields)random.Next(32) : ClearableFields.None;
        return
        [
            .. Enumerable.Range(0, random.Next(2, 9)).Select(_ => new Blank
            {
                Status = words[random.Next(words.Length)],
                StartedAt = Sometime(),
                CompletedAt = random.Next(2) == 0 ? null : Sometime(),
                RecordsProcessed = random.Next(3) == 0 ? null : random.Next(5),
                ErrorMessage = Perhaps("error"),
                Trigger = Perhaps("trigger"),
                Metadata = Perhaps("metadata"),
                Clears = Nulls(),
                CheckGate = random.Next(6) == 0 ? false : null,
                Stages = random.Next(2) == 0 ? [] : [new StageReport { StageName = $"stage {random.Next(2)}", Status = words[random.Next(words.Length)], CompletedAt = Sometime(), RecordsProcessed = random.Next(3) == 0 ? null : random.Next(4), ErrorMessage = Perhaps("error"), Clears = Nulls() }],
            }),
        ];
    }

    private async Task<RunDetail> Feed(string name, params Blank[] events)
    {
        foreach (var (i, @event) in events.Index())
        {
            await Take(Of(@event, name, i));
        }

        return (await _runs.Find("default", $"{_pipeline}-{name}", Ct))!;
    }

    private async Task<RunOutcome> Take(RunEvent @event) => (await _events.Enqueue("default", @event)!.Value).Single().Outcome;

    private RunEvent Of(Blank said, string name, int i) => new()
    {
        RunId = $"{_pipeline}-{name}",
        PipelineId = _pipeline,
        Status = said.Status,
        StartedAt = said.StartedAt,
        CompletedAt = said.CompletedAt,
        RecordsProcessed = said.RecordsProcessed,
        ErrorMessage = said.ErrorMessage,
        Trigger = said.Trigger,
        Metadata = said.Metadata,
        Clears = said.Clears,
        CheckGate = said.CheckGate,
        Stages = said.Stages,
        Digest = BitConverter.GetBytes(i),
        Body = "{}",
    };

    private static string Comparable(RunDetail detail) =>
        detail.Run with { Id = "", CreatedAt = default, UpdatedAt = default } + string.Concat(detail.Stages.Select(stage => stage with { RunId = "" }));

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
