using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Catalog.Data.Runs;

namespace Catalog.Data.Events;

/// <summary>
/// What an event of any dialect says, in the terms of the Catalog. It depends only on the stored event and the time of
/// its receipt, so that the stored event gives the same report when it is read again.
/// </summary>
public sealed record EventReport
{
    /// <summary>The time of the event; if the event has no time, the time of its receipt.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The jobs that the event names. Each is registered as a pipeline if it is unknown.</summary>
    public IReadOnlyList<ReportedJob> Jobs { get; init; } = [];

    /// <summary>Events of runs, the event's own run first. Their pipelines are in <see cref="Jobs"/>.</summary>
    public IReadOnlyList<RunEvent> RunEvents { get; init; } = [];

    /// <summary>Where runs are in their tree of parent and child runs.</summary>
    public IReadOnlyList<ReportedRun> Runs { get; init; } = [];

    /// <summary>What is said about jobs, runs and datasets.</summary>
    public IReadOnlyList<ReportedFacet> Facets { get; init; } = [];

    /// <summary>
    /// The datasets that the event names. A dataset that is in one of the other lists can be missing here.
    /// </summary>
    public IReadOnlyList<DatasetName> Datasets { get; init; } = [];

    /// <summary>
    /// The datasets that runs read and wrote. Every input of a run is upstream of every output of the same run, even
    /// when different events report them. This does not apply to declared outputs.
    /// </summary>
    public IReadOnlyList<ReportedUse> Uses { get; init; } = [];

    /// <summary>Edges that the event states one by one, without a run or in addition to <see cref="Uses"/>.</summary>
    public IReadOnlyList<ReportedEdge> Edges { get; init; } = [];

    public IReadOnlyList<ReportedColumnEdge> ColumnEdges { get; init; } = [];

    public IReadOnlyList<ReportedAlias> Aliases { get; init; } = [];

    /// <summary>Check results, with distinct ids.</summary>
    public IReadOnlyList<CheckResult> Results { get; init; } = [];

    /// <summary>
    /// The definitions of all checks of the event's own job, with distinct ids; null when the event does not define
    /// checks.
    /// </summary>
    public IReadOnlyList<ReportedCheck>? Checks { get; init; }

    /// <summary>The parts that were not understood, each once.</summary>
    public IReadOnlyList<UnreadFacet> Unread { get; init; } = [];
}

/// <summary>A job of another tool, which is a pipeline in the Catalog.</summary>
/// <param name="PipelineId">The id of the pipeline, which <see cref="JobId"/> makes.</param>
/// <param name="Namespace">The namespace as reported.</param>
/// <param name="Name">The name as reported.</param>
/// <param name="Tags">Tags that are added to the pipeline.</param>
public sealed record ReportedJob(string PipelineId, string Namespace, string Name, IReadOnlyList<string> Tags);

/// <summary>Where a run is in its tree of parent and child runs.</summary>
/// <param name="RunId">The run.</param>
/// <param name="PipelineId">Its pipeline.</param>
/// <param name="Completed">Whether the event says that the run completed.</param>
/// <param name="ParentRunId">The run that started this run; null when it is not reported.</param>
/// <param name="ParentJob">The pipeline of the parent; null when it is not reported.</param>
/// <param name="RootRunId">The first run of the tree; null when it is not reported.</param>
public sealed record ReportedRun(
    string RunId, string PipelineId, bool Completed, string? ParentRunId, string? ParentJob, string? RootRunId);

/// <summary>The kinds of subjects that have facets.</summary>
public static class FacetSubject
{
    public const string Dataset = "dataset";
    public const string Job = "job";
    public const string Run = "run";
}

/// <summary>One statement about a job, a run or a dataset.</summary>
/// <param name="Subject">A word of <see cref="FacetSubject"/>.</param>
/// <param name="Id">The id of the pipeline or of the run; empty for a dataset.</param>
/// <param name="Dataset">The dataset; null for other subjects.</param>
/// <param name="Facet">The name of the facet, as in OpenLineage.</param>
/// <param name="Value">
/// The JSON of the facet, without the members whose names begin with an underscore. It is the text <c>null</c> when the
/// event removes the facet.
/// </param>
public sealed record ReportedFacet(string Subject, string Id, DatasetName? Dataset, string Facet, string Value);

/// <summary>A dataset as an event names it.</summary>
/// <param name="Namespace">The namespace; it can be empty.</param>
/// <param name="Name">The name.</param>
public sealed record DatasetName(string Namespace, string Name)
{
    /// <summary>The key; an alias has a key of its own.</summary>
    public Guid Key { get; } = DatasetId.Of(Namespace, Name);

    /// <summary>The id in answers and paths.</summary>
    public string ShownId => DatasetId.Format(Namespace, Name);
}

/// <summary>A dataset that a run read or wrote.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Dataset">The dataset.</param>
/// <param name="Direction">A word of <see cref="UseDirection"/>.</param>
/// <param name="Rows">The number of rows that were read or written; null when it is not reported.</param>
/// <param name="Bytes">The number of bytes that were read or written; null when it is not reported.</param>
/// <param name="Files">The number of files; null when it is not reported.</param>
public sealed record ReportedUse(string RunId, DatasetName Dataset, string Direction, long? Rows, long? Bytes, long? Files);

/// <summary>How a run used a dataset.</summary>
public static class UseDirection
{
    public const string Input = "input";

    /// <summary>The run wrote the dataset. Every input of the run is upstream of the dataset.</summary>
    public const string Output = "output";

    /// <summary>The run wrote the dataset. Only the edges that events state one by one lead to the dataset.</summary>
    public const string DeclaredOutput = "declared_output";
}

/// <summary>An edge from one dataset to another.</summary>
/// <param name="PipelineId">The job; empty when no job is reported.</param>
/// <param name="Upstream">The source.</param>
/// <param name="Downstream">The target.</param>
/// <param name="RunId">
/// The run that reports the edge; null when no run reports it. When this run completes, the edges of its pipeline that
/// it did not report end.
/// </param>
public sealed record ReportedEdge(string PipelineId, DatasetName Upstream, DatasetName Downstream, string? RunId);

/// <summary>An edge from one column to another.</summary>
/// <param name="PipelineId">The job; empty when no job is reported.</param>
/// <param name="Upstream">The source.</param>
/// <param name="UpstreamColumn">The column of the source; empty for the whole dataset.</param>
/// <param name="Downstream">The target.</param>
/// <param name="DownstreamColumn">The column of the target; empty for every column.</param>
/// <param name="Transformation">A JSON array of transformations; empty when none is reported.</param>
public sealed record ReportedColumnEdge(
    string PipelineId, DatasetName Upstream, string UpstreamColumn, DatasetName Downstream, string DownstreamColumn, string Transformation);

/// <summary>The definition of a check, without its pipeline.</summary>
/// <param name="Id">The check's id.</param>
/// <param name="Dataset">The dataset that the check judges; null when it is not known.</param>
/// <param name="Kind">What the check judges, in the words of the tool that runs it.</param>
/// <param name="Severity">A word of <see cref="CheckSeverity"/>.</param>
/// <param name="Column">The column that the check judges; null when it judges no column or several columns.</param>
/// <param name="Parameters">The parameters as a JSON object; null when there are none.</param>
public sealed record ReportedCheck(string Id, DatasetName? Dataset, string Kind, string Severity, string? Column, string? Parameters);

/// <summary>Two names of the same data.</summary>
/// <param name="Dataset">One name.</param>
/// <param name="Other">The other name.</param>
public sealed record ReportedAlias(DatasetName Dataset, DatasetName Other);

/// <summary>A part of an event that was not understood.</summary>
/// <param name="Place">Where the part is: event, run, job, dataset, input or output.</param>
/// <param name="Facet">The name of the facet or field.</param>
/// <param name="Reason">A word of <see cref="UnreadReason"/>.</param>
public sealed record UnreadFacet(string Place, string Facet, string Reason);

/// <summary>Why a part of an event was not understood.</summary>
public static class UnreadReason
{
    /// <summary>The Catalog does not know the facet, the field or its value.</summary>
    public const string Unknown = "unknown";

    /// <summary>The part has a form that its definition does not allow.</summary>
    public const string Invalid = "invalid";

    /// <summary>The part exceeds a limit of the Catalog.</summary>
    public const string Limit = "limit";

    /// <summary>The job would exceed the number of pipelines of the plan.</summary>
    public const string PlanLimit = "plan_limit";

    /// <summary>The pipeline of the job was deleted.</summary>
    public const string Deleted = "deleted";

    /// <summary>The run belongs to another job.</summary>
    public const string RunIdTaken = "run_id_taken";
}
