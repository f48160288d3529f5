using System.Diagnostics.Metrics;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Runs;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Ingest;

[Trait("Category", "Fast")]
public sealed class IngestBatchesOnSqlite(SqliteTestDatabase database) : IngestBatchTests(database), IClassFixture<SqliteTestDatabase>
{
    protected override string[] Poison =>
        ["create trigger poison before insert on check_results when new.message = 'poison' begin select raise(abort, 'poison'); end"];
}

public sealed class IngestBatchesOnPostgres(PostgresTestDatabase database) : IngestBatchTests(database), IClassFixture<PostgresTestDatabase>
{
    protected override string[] Poison =>
    [
        "create or replace function poison() returns trigger language plpgsql as 'begin if new.message = ''poison'' then raise "
            + "exception ''poison''; end if; return new; end'",
        "create or replace trigger poison before insert on check_results for each row execute function poison()",
    ];
}

/// <summary>
/// Requests that are accepted before the writer starts share one batch. These tests check how they affect each other.
/// </summary>
public abstract class IngestBatchTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly TestDatabase _database;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";
    private readonly string _other = $"other-{Guid.NewGuid():N}";

    protected IngestBatchTests(TestDatabase database) => _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>SQL that makes the database refuse results with the message "poison".</summary>
    protected abstract string[] Poison { get; }

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
    public async Task One_id_in_one_batch_is_stored_once()
    {
        var id = Guid.NewGuid().ToString();

        var outcomes = await InOneBatch([Result(id)], [Result(id)], [Result(id) with { RequestHash = [9] }],
            [Result(id), Result(id + "x")]);

        Assert.Equal(
            [[ResultOutcome.Stored], [ResultOutcome.Duplicate], [ResultOutcome.IdTaken], [ResultOutcome.Duplicate, ResultOutcome.Stored]],
            outcomes);
        Assert.Equal(
            [[ResultOutcome.Duplicate], [ResultOutcome.IdTaken]], await InOneBatch([Result(id)], [Result(id) with { RequestHash = [9] }]));
    }

    [Fact]
    public async Task Every_field_of_a_result_is_stored_and_read()
    {
        var result = Result() with
        {
            RunId = $"{_pipeline}-fields",
            Dataset = "mart.orders",
            ObservedValue = "1.5",
            ObservedNumber = 1.5,
            Expected = """{"min":1}""",
            FailedRows = 1,
            TotalRows = 2,
            Message = "é",
            DurationSeconds = 0.5,
            Metadata = """{"a":1}""",
        };
        // A new field of CheckResult needs a value in `result`.
        Assert.All(typeof(CheckResult).GetProperties(), property => Assert.NotNull(property.GetValue(result)));

        Assert.Equal([ResultOutcome.Stored], (await InOneBatch([result]))[0]);

        var read = (await new CheckResultRepository(_database.Database).Find("default", result.Id, Ct))!;
        Assert.Equal(result with { RequestHash = [] }, read with { RequestHash = [] });
    }

    [Fact]
    public async Task Each_request_of_a_batch_succeeds_or_fails_alone()
    {
        var run = $"{_pipeline}-run";
        await InOneBatch(Event(run, _other));

        var outcomes = await InOneBatch(
            [Result()],
            [Result() with { PipelineId = "nobody" }],
            [Result() with { RunId = run }],
            [Result() with { RunId = run, PipelineId = _other, Status = "fail" }],
            [Result() with { RunId = run, Status = "fail" }],
            [Result(), Result() with { PipelineId = "nobody" }, Result()],
            [Result() with { RunId = run + "-new", Status = "fail", CheckId = "b" }],
            [Result() with { RunId = run + "-new", Status = "fail", CheckId = "a" }, Result() with { RunId = run + "-new" }]);

        Assert.Equal(
            [
                [ResultOutcome.Stored], [ResultOutcome.PipelineUnknown], [ResultOutcome.RunIdTaken], [ResultOutcome.Stored],
                [ResultOutcome.RunIdTaken],
                [ResultOutcome.Stored, ResultOutcome.PipelineUnknown, ResultOutcome.Stored], [ResultOutcome.Stored],
                [ResultOutcome.Stored, ResultOutcome.Stored],
            ], outcomes);
        var runs = new RunRepository(_database.Database);
        Assert.Equal(("failed", "c"), await GateOf(runs, run));
        Assert.Equal(("failed", "a"), await GateOf(runs, run + "-new"));
    }

    [Fact]
    public async Task A_request_with_a_taken_key_is_not_stored_partially()
    {
        var taken = Guid.NewGuid().ToString();
        await InOneBatch([Result(taken)]);
        var (first, neighbour) = (Result() with { IdIsDerived = true }, Result());

        var outcomes = await InOneBatch([first, Result(taken) with { IdIsDerived = true, RequestHash = [9] }], [neighbour]);

        Assert.Equal(ResultOutcome.KeyReused, outcomes[0][1]);
        var results = new CheckResultRepository(_database.Database);
        Assert.Null(await results.Find("default", first.Id, Ct));
        Assert.NotNull(await results.Find("default", neighbour.Id, Ct));
    }

    [Theory]
    [InlineData("pass")]
    [InlineData("fail")]
    public async Task A_row_that_the_database_refuses_fails_alone(string status)
    {
        await Execute(Poison);
        var ingest = Results();
        CheckResult NewResult(int i) =>
            Result() with { RunId = $"{_pipeline}-poison", Status = status, Message = i % 40 == 7 ? "poison" : null };
        var requests = Enumerable.Range(0, 100).Select(i => (Organization: i % 3 == 0 ? "second" : "default", Result: NewResult(i)))
            .ToList();

        var taken = requests.Select(request => ingest.Enqueue(request.Organization, [request.Result], 1)!.Value.AsTask()).ToList();
        await ingest.StartAsync(Ct);
        await Task.WhenAll(taken).ContinueWith(_ => { }, TaskScheduler.Default);
        await ingest.StopAsync(Ct);

        var results = new CheckResultRepository(_database.Database);
        foreach (var ((organization, result), answer) in requests.Zip(taken))
        {
            Assert.Equal(result.Message is null, answer.IsCompletedSuccessfully);
            Assert.Equal(result.Message is null, await results.Find(organization, result.Id, Ct) is not null);
            Assert.Null(await results.Find(organization == "default" ? "second" : "default", result.Id, Ct));
        }
    }

    [Fact]
    public async Task A_full_queue_refuses_requests_and_writes_the_accepted_ones_before_it_stops()
    {
        var ingest = Results(queue: 300);
        var taken = Enumerable.Range(0, 400).Select(_ => ingest.Enqueue("default", [Result()], 1)?.AsTask()).ToList();
        var large = Results();

        await ingest.StartAsync(Ct);
        await ingest.StopAsync(Ct);

        Assert.Equal(300, taken.TakeWhile(answer => answer is not null).Count());
        await Task.WhenAll(taken.Take(300).Select(answer => answer!));
        Assert.All(taken.Skip(300), Assert.Null);
        Assert.Null(ingest.Enqueue("default", [Result()], 1));
        Assert.NotNull(large.Enqueue("default", [Result()], 100 * 1024 * 1024)?.AsTask());
        Assert.Null(large.Enqueue("default", [Result()], 100 * 1024 * 1024));
    }

    [Fact]
    public async Task An_answer_equals_the_stored_run()
    {
        var run = $"{_pipeline}-run";
        await InOneBatch([Result() with { RunId = run, Status = "warn" }], [Result() with { RunId = run, Status = "fail" }]);

        var receipts = await InOneBatch(
            Event(run, _pipeline) with
            {
                StartedAt = Noon,
                Metadata = """{"a":1}""",
                Stages = [new() { StageName = "b", Status = "running" }, new() { StageName = "a", Status = "failed", StartedAt = Noon }]
            },
            Event(run, _pipeline) with { Status = "completed", CompletedAt = Noon.AddHours(1), RecordsProcessed = 5 });

        var read = (await new RunRepository(_database.Database).Find("default", run, Ct))!;
        var expected = (RunEventBatchTests.Describe(read), "failed");
        Assert.All(receipts, receipt => Assert.Equal(expected, (RunEventBatchTests.Describe(receipt.Run!), receipt.Run!.Run.Status)));
    }

    private IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    private ResultIngest Results(int queue = 4096) => new(_database.Database, new(1, queue), Meters);

    private CheckResult Result(string? id = null) => new()
    {
        Id = id ?? Guid.NewGuid().ToString(),
        PipelineId = _pipeline,
        CheckId = "c",
        Status = "pass",
        Severity = "error",
        ExecutedAt = Noon,
        CreatedAt = Noon,
        RequestHash = [1],
    };

    private static RunEvent Event(string run, string? pipeline) =>
        new() { RunId = run, PipelineId = pipeline, Status = "running", Digest = [1], Body = "{}" };

    private async Task<ResultOutcome[][]> InOneBatch(params CheckResult[][] requests)
    {
        var ingest = Results();
        var taken = requests.Select(results => ingest.Enqueue("default", results, 1)!.Value.AsTask()).ToList();
        await ingest.StartAsync(Ct);
        await ingest.StopAsync(Ct);
        return await Task.WhenAll(taken);
    }

    private async Task<RunReceipt[]> InOneBatch(params RunEvent[] events)
    {
        var ingest = new RunIngest(_database.Database, new(1, 4096), TimeProvider.System, Meters);
        var taken = events.Select(@event => ingest.Enqueue("default", @event)!.Value.AsTask()).ToList();
        await ingest.StartAsync(Ct);
        await ingest.StopAsync(Ct);
        return [.. (await Task.WhenAll(taken)).Select(receipts => receipts[0])];
    }

    private async Task Execute(string[] statements)
    {
        await using var database = Catalog.Data.Migrations.MigrationDatabase.Open(_database.Settings);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        foreach (var sql in statements)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql.Replace("create trigger poison", "create trigger if not exists poison", StringComparison.Ordinal);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    private static async Task<(string, string?)> GateOf(RunRepository runs, string id)
    {
        var run = (await runs.Find("default", id, Ct))!.Run;
        return (run.Status, run.GateCheckId);
    }
}
