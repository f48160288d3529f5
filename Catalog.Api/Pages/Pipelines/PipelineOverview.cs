using Catalog.Api.Checks;
using Catalog.Api.Lineage;
using Catalog.Api.Pages.Lineage;
using Catalog.Api.Pipelines;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>What the overview of a pipeline shows.</summary>
public sealed record PipelineOverview
{
    public required PipelineItem Pipeline { get; init; }

    /// <summary>The last runs, latest start first.</summary>
    public required IReadOnlyList<RecentRun> Runs { get; init; }

    /// <summary>The checks of the pipeline, failing ones first; at most 200.</summary>
    public required IReadOnlyList<CheckItem> Checks { get; init; }

    /// <summary>Whether the pipeline has more checks than these.</summary>
    public required bool HasMoreChecks { get; init; }

    /// <summary>Whether at least one of these checks can be executed.</summary>
    public required bool IsExecutable { get; init; }

    public required PipelineDurationItem Durations { get; init; }

    /// <summary>The datasets that the pipeline reads and writes.</summary>
    public required DatasetGraph Graph { get; init; }

    /// <summary>What depends on the datasets that the pipeline writes.</summary>
    public required Impact Affected { get; init; }
}

/// <summary>Reads what the overview of a pipeline shows.</summary>
internal sealed class PipelineOverviewReader(PipelineRuns runs, PipelineDurations durations, CheckRepository checks,
    DatasetRepository datasets, LineageRepository lineage, CheckResultRepository results, GraphReader graphs)
{
    private const int MaxChecks = 200;

    // The impact is read up to this number of datasets and edges. The page lists the nearest ones and counts all.
    private static readonly LineageBudget Affected = new(1000, 5000);

    private static readonly string[] WorstFirst = [CheckStatus.Fail, CheckStatus.Error, CheckStatus.Warn, CheckStatus.Pass];

    public async Task<PipelineOverview> Read(string organization, PipelineItem pipeline, CancellationToken ct)
    {
        var recent = await runs.RecentRuns(organization, [pipeline.Id], Drawing.SparklinePlan.Limit, ct);
        var defined = await checks.List(organization, new() { PipelineId = pipeline.Id }, null, MaxChecks, ct);
        var summary = await durations.Measure(organization, pipeline.Id, ct);
        var outputs = await datasets.Outputs(organization, pipeline.Id, ct);
        var downstream = await lineage.Within(Affected).Downstream(
            organization, [.. outputs.Take(Affected.Nodes)], LineageEndpoints.MaxDepth, ct);
        return new()
        {
            Pipeline = pipeline,
            Runs = [.. recent[pipeline.Id]],
            Checks = [.. defined.Items.Select(CheckItem.From).OrderBy(Rank).ThenBy(check => check.Id, StringComparer.Ordinal)],
            HasMoreChecks = defined.Next is not null,
            IsExecutable = defined.Items.Any(check => check.ConnectionId is not null),
            // The summary is null when the pipeline was deleted a moment ago.
            Durations = PipelineDurationItem.From(summary ?? new(new(0, null, null), null, [])),
            Graph = await graphs.OfPipeline(organization, pipeline.Id, ct),
            Affected = await LineageEndpoints.Affected(organization, downstream, pipeline.Id, datasets, results, ct),
        };
    }

    private static int Rank(CheckItem check) =>
        check.LastResult is { } last ? Array.IndexOf(WorstFirst, last.Status) : WorstFirst.Length;
}
