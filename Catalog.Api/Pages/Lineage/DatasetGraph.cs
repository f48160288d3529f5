using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Lineage;

/// <summary>A part of the lineage graph. The drawing and the tables beside it show the same part.</summary>
/// <param name="Nodes">The datasets, nearest first.</param>
/// <param name="Edges">The edges between these datasets. Several pipelines may declare the same edge.</param>
/// <param name="Truncated">Whether datasets or edges are missing, because the graph is larger than the limit.</param>
public sealed record DatasetGraph(IReadOnlyList<DatasetNode> Nodes, IReadOnlyList<LineageEdge> Edges, bool Truncated);

/// <summary>The shortest paths from a dataset to another dataset downstream.</summary>
/// <param name="To">The shown id of the dataset at the end of the paths.</param>
/// <param name="Hops">The number of hops of each path; null when no path was found.</param>
/// <param name="Truncated">Whether a limit ended the search, so that a path may be missing.</param>
/// <param name="IsPart">
/// Whether the paths are too large to draw. Then only the first path is drawn, or its beginning.
/// </param>
/// <param name="Graph">The graph to draw; null when no path was found.</param>
public sealed record DrawnPath(string To, int? Hops, bool Truncated, bool IsPart, DatasetGraph? Graph);

/// <summary>A dataset of a drawing.</summary>
public sealed record DatasetNode
{
    public required Dataset Dataset { get; init; }

    /// <summary>The number of hops from the dataset that the graph is drawn around.</summary>
    public required int Depth { get; init; }

    /// <summary>
    /// Whether the dataset was reached upstream, downstream, or in both directions; null for the start, and in a graph
    /// without a start.
    /// </summary>
    public required LineageDirection? Side { get; init; }

    /// <summary>The pipelines that write the dataset.</summary>
    public required IReadOnlyList<Producer> Producers { get; init; }

    /// <summary>The number of the dataset's checks by the status of their latest result.</summary>
    public required IReadOnlyList<CheckCount> Checks { get; init; }

    /// <summary>The number of datasets directly upstream that are not in the graph.</summary>
    public required long HiddenUpstream { get; init; }

    /// <summary>The number of datasets directly downstream that are not in the graph.</summary>
    public required long HiddenDownstream { get; init; }

    public string Id => Dataset.DisplayId;

    /// <summary>The worst status among the last runs of the producers; null when the producers have no run.</summary>
    public string? RunStatus => Worst(Producers.Select(producer => producer.LastRun?.Status), RunsWorstFirst);

    /// <summary>The worst status among the dataset's checks; null when no check has a result.</summary>
    public string? CheckStatus => Worst(Checks.Select(count => count.Status), ChecksWorstFirst);

    private static readonly string[] RunsWorstFirst = ["failed", "running", "pending", "cancelled", "skipped", "completed"];
    private static readonly string[] ChecksWorstFirst = ["fail", "error", "warn", "pass"];

    private static string? Worst(IEnumerable<string?> statuses, string[] worstFirst) =>
        statuses.OfType<string>().MinBy(status => Array.IndexOf(worstFirst, status));
}

/// <summary>A pipeline that writes a dataset.</summary>
/// <param name="PipelineId">The pipeline.</param>
/// <param name="LastRun">The run that started last; null when the pipeline has no run.</param>
public sealed record Producer(string PipelineId, RecentRun? LastRun);
