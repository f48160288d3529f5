using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Support;

namespace Catalog.Tests.Runs;

public sealed class RunStateOnSqlite(SqliteTestDatabase database) : RunStateTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunStateOnPostgres(PostgresTestDatabase database) : RunStateTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>A run's state is derived from its events: in whatever order and however often they arrive, it ends the same.</summary>
public abstract class RunStateTests(TestDatabase database)
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly RunEventRepository _events = new(database.Require().Database, TimeProvider.System);
    private readonly RunRepository _runs = new(database.Database);
    private readonly CheckResultRepository _results = new(database.Database);
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hundred_shuffled_and_repeated_histories_end_as_the_ordered_one()
    {
        await Register();
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
        await Register();
        var history = History(new Random(7));
        var single = await Feed("single", history);

        var outcomes = await _events.Record("default", [.. history.Select((@event, i) => Of(@event, "batch", i))], Ct);

        Assert.Equal([RunOutcome.Created, .. Enumerable.Repeat(RunOutcome.Updated, history.Length - 1)], outcomes);
        Assert.Equal(Comparable(single), Comparable((await _runs.Find("default", $"{_pipeline}-batch", Ct))!));
    }

    [Fact]
    public async Task A_late_start_does_not_reopen_a_finished_run()
    {
        await Register();
        var run = await Feed("late", new Blank { Status = "completed", CompletedAt = Noon }, new() { Status = "running", StartedAt = Noon.AddHours(1) });

        Assert.Equal("completed", run.Run.Status);
    }

    [Fact]
    public async Task Among_ends_the_latest_counts_and_at_the_same_time_the_worst()
    {
        await Register();

        var retried = await Feed("retried", new Blank { Status = "failed", CompletedAt = Noon }, new() { Status = "completed", CompletedAt = Noon.AddMinutes(1) });
        var tied = await Feed("tied", new Blank { Status = "failed", CompletedAt = Noon }, new() { Status = "completed", CompletedAt = Noon });

        Assert.Equal(("completed", "failed"), (retried.Run.Status, tied.Run.Status));
    }

    [Fact]
    public async Task A_field_comes_from_the_latest_event_that_has_it()
    {
        await Register();
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
        await Register();
        var id = $"{_pipeline}-gate-{checkFirst}";
        if (checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        await _events.Record("default", [Of(new() { Status = "completed", CompletedAt = Noon }, id[(_pipeline.Length + 1)..], 0)], Ct);
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
        await Register();
        await Fail($"{_pipeline}-early", "rows_exist");

        Assert.Equal("failed", (await _runs.Find("default", $"{_pipeline}-early", Ct))!.Run.Status);
        var outcome = await _events.Record("default", [Of(new() { Status = "running" }, "early", 0)], Ct);
        Assert.Equal([RunOutcome.Created], outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_event_may_switch_the_gate_off_in_either_order(bool checkFirst)
    {
        await Register();
        var id = $"{_pipeline}-off-{checkFirst}";
        if (checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        await _events.Record("default", [Of(new() { Status = "completed", CheckGate = false }, id[(_pipeline.Length + 1)..], 0)], Ct);
        if (!checkFirst)
        {
            await Fail(id, "rows_exist");
        }

        Assert.Equal("completed", (await _runs.Find("default", id, Ct))!.Run.Status);
    }

    [Fact]
    public async Task Warnings_passes_and_errors_leave_the_run_alone()
    {
        await Register();
        await Feed("calm", new Blank { Status = "completed" });
        await Record($"{_pipeline}-calm", "a", "fail", "warn");
        await Record($"{_pipeline}-calm", "b", "warn", "error");
        await Record($"{_pipeline}-calm", "c", "error", "error");

        Assert.Equal("completed", (await _runs.Find("default", $"{_pipeline}-calm", Ct))!.Run.Status);
    }

    [Fact]
    public async Task Sixteen_writers_of_one_run_lose_nothing()
    {
        await Register();
        await Parallel.ForEachAsync(Enumerable.Range(0, 64), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Ct }, async (i, ct) =>
            await _events.Record("default", [Of(new()
            {
                Status = "running", StartedAt = Noon.AddSeconds(i), CompletedAt = Noon.AddMinutes(i), RecordsProcessed = i,
                Stages = [new StageReport { StageName = $"stage-{i % 4}", Status = "running", RecordsProcessed = i, StartedAt = Noon.AddSeconds(i) }],
            }, "crowd", i)], ct));

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
        public bool? CheckGate { get; init; }
        public IReadOnlyList<StageReport> Stages { get; init; } = [];
    }

    private static Blank[] History(Random random)
    {
        string[] words = ["pending", "running", "completed", "failed", "cancelled", "skipped"];
        DateTimeOffset? Sometime() => random.Next(4) == 0 ? null : Noon.AddMinutes(random.Next(5));
        return
        [
            .. Enumerable.Range(0, random.Next(2, 9)).Select(_ => new Blank
            {
                Status = words[random.Next(words.Length)],
                StartedAt = Sometime(),
                CompletedAt = random.Next(2) == 0 ? null : Sometime(),
                RecordsProcessed = random.Next(3) == 0 ? null : random.Next(5),
                ErrorMessage = random.Next(2) == 0 ? null : $"error {random.Next(3)}",
                CheckGate = random.Next(6) == 0 ? false : null,
                Stages = random.Next(2) == 0 ? [] : [new StageReport { StageName = $"stage {random.Next(2)}", Status = words[random.Next(words.Length)], CompletedAt = Sometime(), RecordsProcessed = random.Next(4) }],
            }),
        ];
    }

    private async Task<RunDetail> Feed(string name, params Blank[] events)
    {
        foreach (var (i, @event) in events.Index())
        {
            await _events.Record("default", [Of(@event, name, i)], Ct);
        }

        return (await _runs.Find("default", $"{_pipeline}-{name}", Ct))!;
    }

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
        CheckGate = said.CheckGate,
        Stages = said.Stages,
        Digest = BitConverter.GetBytes(i),
        Body = "{}",
    };

    private static string Comparable(RunDetail detail) =>
        detail.Run with { Id = "", CreatedAt = default, UpdatedAt = default } + string.Concat(detail.Stages.Select(stage => stage with { RunId = "" }));

    private Task Fail(string runId, string checkId) => Record(runId, checkId, "fail", "error");

    private Task Record(string runId, string checkId, string status, string severity) => _results.Record("default",
    [
        new CheckResult
        {
            Id = Guid.NewGuid().ToString(), PipelineId = _pipeline, CheckId = checkId, RunId = runId, Status = status, Severity = severity,
            ExecutedAt = Noon, CreatedAt = Noon, RequestHash = [1],
        },
    ], Ct);

    private Task Register() => new PipelineRegistration(database.Database, TimeProvider.System)
        .Register("default", [new NewPipeline { Id = _pipeline, Version = "1", Body = "{}", BodyHash = [1] }], Ct);
}
