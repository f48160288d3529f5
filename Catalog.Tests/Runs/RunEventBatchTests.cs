using System.Diagnostics.Metrics;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Runs;

[Trait("Category", "Fast")]
public sealed class RunEventBatchesOnSqlite(SqliteTestDatabase database)
    : RunEventBatchTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunEventBatchesOnPostgres(PostgresTestDatabase database)
    : RunEventBatchTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Run events that are accepted before the writer starts share one batch.</summary>
public abstract class RunEventBatchTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly TestDatabase _database;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";
    private readonly string _other = $"other-{Guid.NewGuid():N}";

    protected RunEventBatchTests(TestDatabase database) => _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var registration = new PipelineRegistration(_database.Database, TimeProvider.System);
        foreach (var organization in new[] { "default", "second" })
        {
            await registration.Register(
                organization,
                [.. new[] { _pipeline, _other }.Select(id => new NewPipeline { Id = id, Version = "1", Body = "{}", BodyHash = [1] })],
                Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Events_in_one_batch_are_applied_in_order()
    {
        var run = $"{_pipeline}-run";
        var keyed = Event(run + "-k", _pipeline) with { IdIsDerived = true };

        var outcomes = await InOneBatch(
            Event(run, "nobody"),
            Event(run, _pipeline),
            Event(run, _pipeline),
            Event(run, _other),
            Event(run, null) with { RunMustExist = true, Trigger = "patched" },
            Event(run + "-none", null) with { RunMustExist = true },
            Event(run + "-none", "nobody"),
            keyed,
            keyed,
            keyed with { Digest = [7] },
            Event(run + "-k2", _pipeline) with { IdIsDerived = true, Digest = [7] });

        Assert.Equal(
            [
                RunOutcome.PipelineUnknown, RunOutcome.Created, RunOutcome.Updated, RunOutcome.RunIdTaken, RunOutcome.Updated,
                RunOutcome.RunUnknown, RunOutcome.PipelineUnknown,
                RunOutcome.Created, RunOutcome.Updated, RunOutcome.KeyReused, RunOutcome.Created,
            ], outcomes.Select(receipt => receipt.Outcome));
        Assert.Equal("patched", outcomes[1].Run!.Run.Trigger);
        // The digests of one run do not affect another run.
        Assert.Equal(
            RunOutcome.KeyReused,
            (await InOneBatch(keyed with { Digest = [7] }, Event(run + "-k2", _pipeline) with { IdIsDerived = true, Digest = [7] }))[0]
                .Outcome);
        Assert.Null(await new RunRepository(_database.Database).Find("default", run + "-none", Ct));
    }

    [Fact]
    [Trait("Fault", "F23")]
    public async Task Shuffled_and_repeated_events_end_in_the_same_state_as_ordered_ones()
    {
        var random = new Random(11);
        string[] words = ["pending", "running", "completed", "failed", "cancelled", "skipped"];
        var events = Enumerable.Range(0, 600).Select(i => Event($"{_pipeline}-{i % 60}", _pipeline) with
        {
            Status = words[random.Next(words.Length)],
            // Every event has a start time. An event without a time counts as of its receipt, so the result would
            // depend on the order.
            StartedAt = Noon.AddMinutes(random.Next(5)),
            CompletedAt = random.Next(2) == 0 ? null : Noon.AddMinutes(random.Next(5)),
            RecordsProcessed = random.Next(3) == 0 ? null : random.Next(5),
            ErrorMessage = random.Next(2) == 0 ? null : $"error {random.Next(3)}",
            Digest = BitConverter.GetBytes(i),
            Stages = [new() { StageName = $"stage {random.Next(2)}", Status = words[random.Next(words.Length)],
                RecordsProcessed = random.Next(4) }],
        }).ToList();
        var shuffled = events.Concat(events.Where(_ => random.Next(3) == 0)).ToArray();
        random.Shuffle(shuffled);
        var ingest = new RunIngest(_database.Database, new(4, 4096), TimeProvider.System, Meters);
        await ingest.StartAsync(Ct);
        foreach (var @event in events)
        {
            await ingest.Enqueue("second", @event)!.Value;
        }

        await Parallel.ForEachAsync(shuffled, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Ct },
            async (@event, _) => await ingest.Enqueue("default", @event)!.Value);
        await ingest.StopAsync(Ct);

        var runs = new RunRepository(_database.Database);
        foreach (var id in events.Select(@event => @event.RunId).Distinct())
        {
            Assert.Equal(Describe((await runs.Find("second", id, Ct))!), Describe((await runs.Find("default", id, Ct))!));
        }
    }

    // Two writers, or two replicas whose clocks differ, can store the first copy of an event at a later time than they
    // read the second copy.
    [Fact]
    public async Task A_repeated_event_with_an_earlier_receipt_does_not_hide_that_all_events_are_stored()
    {
        var run = _pipeline + "-receipts";
        RunEvent Attempt(byte number, int start, int? end) => Event(run, _pipeline) with
        {
            StartedAt = Noon.AddMinutes(start),
            CompletedAt = end is null ? null : Noon.AddMinutes(end.Value),
            Digest = [number],
        };
        var clock = new SetClock();
        var ingest = new RunIngest(_database.Database, new(1, 4096), clock, Meters);
        await ingest.StartAsync(Ct);
        foreach (var (receipt, @event) in new[]
        {
            (10, Attempt(1, 0, 1)), (5, Attempt(1, 0, 1)), (11, Attempt(2, 5, null)), (12, Attempt(3, 1, 5)),
        })
        {
            clock.Time = Noon.AddMinutes(receipt);
            await ingest.Enqueue("default", @event)!.Value;
        }

        await ingest.StopAsync(Ct);

        // The last event closes the gap between the end of the first one and the start of the second one.
        Assert.Equal(1, (await new RunRepository(_database.Database).Find("default", run, Ct))!.Run.Attempt);
    }

    private IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    private static RunEvent Event(string run, string? pipeline) =>
        new() { RunId = run, PipelineId = pipeline, Status = "running", Digest = [1], Body = "{}" };

    private async Task<RunReceipt[]> InOneBatch(params RunEvent[] events)
    {
        var ingest = new RunIngest(_database.Database, new(1, 4096), TimeProvider.System, Meters);
        var taken = events.Select(@event => ingest.Enqueue("default", @event)!.Value.AsTask()).ToList();
        await ingest.StartAsync(Ct);
        await ingest.StopAsync(Ct);
        return [.. (await Task.WhenAll(taken)).Select(receipts => receipts[0])];
    }

    internal static string Describe(RunDetail detail) => (detail.Run with { CreatedAt = default, UpdatedAt = default }).ToString()
        + string.Concat(detail.Stages) + string.Concat(detail.Checks.OrderBy(count => count.Status, StringComparer.Ordinal));
}
