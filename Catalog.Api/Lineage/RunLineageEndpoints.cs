using Catalog.Api.Http;
using Catalog.Data.Lineage;
using Catalog.Data.Runs;

namespace Catalog.Api.Lineage;

internal static class RunLineageEndpoints
{
    public static void MapRunLineage(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/runs/{id}/lineage", Get).WithName("GetRunLineage").WithTags("Lineage").Requires(Scopes.Read).HasETag()
            .Produces<RunLineageItem>().Refuses(404)
            .WithSummary("Read what a run read and wrote, which runs used the same versions, and its parent and children");

    private static async Task<IResult> Get(PathId id, Caller caller, RunRepository runs, RunLineageRepository lineage,
        CancellationToken ct) =>
        await runs.Find(caller.Organization, id.Value, ct) is { Run: var run }
            ? TypedResults.Ok(RunLineageItem.From(run, await lineage.Of(caller.Organization, run.Id, run.StartedAt, ct)))
            : Problems.NotFound("run");
}

/// <summary>What a run read and wrote, as events report, and its place in the tree of runs.</summary>
public sealed record RunLineageItem
{
    public required string RunId { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>The status of the run.</summary>
    public required string Status { get; init; }

    /// <summary>The run that started it; null when it is not reported.</summary>
    public RunReference? Parent { get; init; }

    /// <summary>The first run of its tree; null when it is not reported.</summary>
    public RunReference? Root { get; init; }

    /// <summary>The runs that it started, the first one first; at most 500.</summary>
    public required IReadOnlyList<RunReference> Children { get; init; }

    /// <summary>What it read; at most 500 inputs and outputs.</summary>
    public required IReadOnlyList<RunInput> Inputs { get; init; }

    /// <summary>What it wrote.</summary>
    public required IReadOnlyList<RunOutput> Outputs { get; init; }

    /// <summary>Whether a part is left out.</summary>
    public required bool Truncated { get; init; }

    internal static RunLineageItem From(Run run, RunLineage lineage)
    {
        RunReference Reference(string id, string? pipeline = null) => lineage.Runs.TryGetValue(id, out var state)
            ? new() { RunId = id, PipelineId = state.PipelineId, Status = state.Status }
            : new() { RunId = id, PipelineId = pipeline };
        string Name(RunUse use) => lineage.Datasets.TryGetValue(use.Dataset, out var dataset) ? dataset.DisplayId : use.Dataset.ToString();
        return new()
        {
            RunId = run.Id,
            PipelineId = run.PipelineId,
            Status = run.Status,
            Parent = lineage.Place.ParentRunId is { } parent ? Reference(parent, lineage.Place.ParentJob) : null,
            Root = lineage.Place.RootRunId is { } root ? Reference(root) : null,
            Children = [.. lineage.Children.Select(child => Reference(child))],
            Inputs =
            [
                .. lineage.Inputs.Select(input => new RunInput
                {
                    Dataset = Name(input.Use),
                    RowCount = input.Use.RowCount,
                    ByteCount = input.Use.ByteCount,
                    WrittenBy = input.Others.Count == 0 ? null : Reference(input.Others[0].RunId),
                    WrittenAt = input.Others.Count == 0 ? null : input.Others[0].LastAt,
                }).OrderBy(input => input.Dataset, StringComparer.Ordinal),
            ],
            Outputs =
            [
                .. lineage.Outputs.Select(output => new RunOutput
                {
                    Dataset = Name(output.Use),
                    WrittenAt = output.Use.LastAt,
                    RowCount = output.Use.RowCount,
                    ByteCount = output.Use.ByteCount,
                    ReadBy = [.. output.Others.Select(reader => Reference(reader.RunId))],
                }).OrderBy(output => output.Dataset, StringComparer.Ordinal),
            ],
            Truncated = lineage.Truncated,
        };
    }
}

/// <summary>A run that another run refers to.</summary>
public sealed record RunReference
{
    public required string RunId { get; init; }

    /// <summary>Its pipeline; null when it is not known.</summary>
    public string? PipelineId { get; init; }

    /// <summary>Its status; null when only other runs name it.</summary>
    public string? Status { get; init; }
}

/// <summary>A dataset that a run read.</summary>
public sealed record RunInput
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The number of rows read, when it was reported.</summary>
    public long? RowCount { get; init; }

    /// <summary>Their size in bytes, when it was reported.</summary>
    public long? ByteCount { get; init; }

    /// <summary>
    /// The run that wrote the version which this run read: the last one that wrote the dataset before this run started; null
    /// when none is known.
    /// </summary>
    public RunReference? WrittenBy { get; init; }

    /// <summary>The time of that write.</summary>
    public DateTimeOffset? WrittenAt { get; init; }
}

/// <summary>A dataset that a run wrote.</summary>
public sealed record RunOutput
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The time of the latest event that reports the write.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>The number of rows written, when it was reported.</summary>
    public long? RowCount { get; init; }

    /// <summary>Their size in bytes, when it was reported.</summary>
    public long? ByteCount { get; init; }

    /// <summary>The first 50 runs that began to read it after this write and before the next one.</summary>
    public required IReadOnlyList<RunReference> ReadBy { get; init; }
}
