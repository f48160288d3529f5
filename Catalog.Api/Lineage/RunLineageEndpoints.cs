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

    /// <summary>The run that started this run; null when none is reported.</summary>
    public RunReference? Parent { get; init; }

    /// <summary>The first run of the tree that this run belongs to; null when none is reported.</summary>
    public RunReference? Root { get; init; }

    /// <summary>The runs that this run started, earliest first; at most 500.</summary>
    public required IReadOnlyList<RunReference> Children { get; init; }

    /// <summary>The datasets that the run read. Inputs and outputs together are at most 500.</summary>
    public required IReadOnlyList<RunInput> Inputs { get; init; }

    /// <summary>The datasets that the run wrote.</summary>
    public required IReadOnlyList<RunOutput> Outputs { get; init; }

    /// <summary>Whether children, inputs or outputs are left out.</summary>
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

    /// <summary>The id of the pipeline of the run; null when it is not known.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The status of the run; null when only other runs name the run.</summary>
    public string? Status { get; init; }
}

/// <summary>A dataset that a run read.</summary>
public sealed record RunInput
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The number of rows read; null when it was not reported.</summary>
    public long? RowCount { get; init; }

    /// <summary>The size of these rows in bytes; null when it was not reported.</summary>
    public long? ByteCount { get; init; }

    /// <summary>
    /// The run that wrote the version that this run read. It is the last run that wrote the dataset before this run
    /// started. Null when no such run is known.
    /// </summary>
    public RunReference? WrittenBy { get; init; }

    /// <summary>The time of the write by <c>written_by</c>; null when no such run is known.</summary>
    public DateTimeOffset? WrittenAt { get; init; }
}

/// <summary>A dataset that a run wrote.</summary>
public sealed record RunOutput
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The time of the latest event that reports the write.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>The number of rows written; null when it was not reported.</summary>
    public long? RowCount { get; init; }

    /// <summary>The size of these rows in bytes; null when it was not reported.</summary>
    public long? ByteCount { get; init; }

    /// <summary>
    /// The runs that began to read the dataset after this write and before the next write; at most 50.
    /// </summary>
    public required IReadOnlyList<RunReference> ReadBy { get; init; }
}
