using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.Pipelines;
using Catalog.Api.Runs;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Catalog.Data.Organizations;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using FluentValidation;

namespace Catalog.Api.Demo;

/// <summary>
/// Posts like a client, with the same JSON and the same rules, but without HTTP. It has its own clock, so that the
/// times of receipt lie in the past, as after a month of use.
/// </summary>
internal sealed class DemoClient(
    CatalogDatabase db, IMeterFactory meters, ResultIngest results, IValidator<PipelineSpec> pipelineRules,
    PipelineCheckValidator checkRules, IValidator<PostRun> runRules, IValidator<PostCheckResult> resultRules)
{
    // Members that are null are left out, because an explicit null in an event deletes the stored value.
    private static readonly JsonSerializerOptions Json = new(ApiJson.Options)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    // The maximum number of items in one post. After the computer was asleep, many posts are due at once.
    private const int Part = RequestLimits.BulkItems;

    private readonly DemoClock _clock = new();
    private RunIngest? _runs;

    /// <summary>The time of receipt; null for the current time.</summary>
    public DateTimeOffset? At { set => _clock.At = value; }

    public async Task Start(CancellationToken ct)
    {
        _runs = new RunIngest(db, new IngestSettings(Writers: 1, Queue: 2 * Part), _clock, meters);
        await _runs.StartAsync(ct);
    }

    public Task Stop(CancellationToken ct) => _runs?.StopAsync(ct) ?? Task.CompletedTask;

    public async Task Register(IEnumerable<JsonObject> pipelines, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToElement(new JsonArray([.. pipelines]));
        var (posted, problem) = PostedPipelines.Read(body, pipelineRules, checkRules);
        Require(problem is null, problem);
        await new PipelineRegistration(db, _clock).Register(Organization.Default, posted, ct);
    }

    /// <summary>Posts events and results, and waits until they are stored.</summary>
    public async Task Post(IReadOnlyList<DemoPost> posts)
    {
        foreach (var part in posts.Select(post => post.Run).OfType<PostRun>().Chunk(Part))
        {
            await Post(part);
        }

        foreach (var part in posts.Select(post => post.Result).OfType<PostCheckResult>().Chunk(Part))
        {
            var body = JsonSerializer.SerializeToElement(part, Json);
            var read = PostedResults.Read(body, new(_ => null, resultRules, _clock.Now()));
            Require(read.Accepted.Count == part.Length, read.Rejected);
            await results.Enqueue(Organization.Default, read.Accepted, part.Length * 512L)!.Value;
        }
    }

    private async Task Post(PostRun[] runs)
    {
        List<Task<RunReceipt[]>> receipts = [];
        foreach (var run in runs)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(run, Json);
            using var document = JsonDocument.Parse(bytes);
            var (read, errors) = JsonParser.Parse(document.RootElement, runRules);
            Require(errors is null, run);
            // The event copies what it needs from the document, so the document can be disposed.
            receipts.Add(_runs!.Enqueue(Organization.Default, read!.ToEvent(run.Id!, document.RootElement, bytes))!.Value.AsTask());
        }

        await Task.WhenAll(receipts);
    }

    private static void Require(bool valid, object? what)
    {
        if (!valid)
        {
            throw new InvalidOperationException($"The demo posted something that is not valid: {JsonSerializer.Serialize(what, Json)}");
        }
    }
}
