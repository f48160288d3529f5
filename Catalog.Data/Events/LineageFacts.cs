using System.Security.Cryptography;
using System.Text;
using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>
/// Collects what the events of one batch say about jobs, runs and datasets, one row for each key, and gives the
/// statements that fold it into the tables. Each fold takes the earlier of two first times, the later of two last times
/// and the greater of two values, so its result does not depend on the order of events.
/// </summary>
internal sealed class LineageFacts(Dialect dialect, string organization, Func<DatasetName, DatasetName> resolve, DateTimeOffset now)
{
    private readonly Dictionary<Guid, DatasetName> _datasets = [];
    private readonly Dictionary<(string, string, string, string), FacetRow> _facets = [];
    private readonly Dictionary<string, RunRow> _runs = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string, Guid), UseRow> _uses = [];
    private readonly Dictionary<(string, Guid, Guid), EdgeRow> _edges = [];
    private readonly Dictionary<(Guid, string, Guid, string, string), ColumnRow> _columns = [];
    private readonly Dictionary<UnreadFacet, UnreadRow> _unread = [];
    private readonly HashSet<string> _runsWithInputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _runsWithOutputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _runsWithUses = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pipelines = new(StringComparer.Ordinal);

    /// <summary>Marks pipelines whose edges changed, so that the ends of their edges are computed again.</summary>
    public void Reopen(IEnumerable<string> pipelines) => _pipelines.UnionWith(pipelines);

    /// <summary>Counts a part of an event that was not understood.</summary>
    public void Add(DateTimeOffset at, UnreadFacet unread) =>
        _unread[unread] = _unread.TryGetValue(unread, out var row)
            ? row with { Events = row.Events + 1, First = Min(row.First, at), Last = Max(row.Last, at) }
            : new(unread, 1, at, at);

    /// <summary>Adds a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="jobs">
    /// The registered jobs. The runs of other jobs, and what those runs read and wrote, are left out.
    /// </param>
    /// <param name="taken">Runs that belong to another pipeline; facts about them are left out.</param>
    public void Add(EventReport report, JobRegistration jobs, HashSet<(string RunId, string PipelineId)> taken)
    {
        var at = report.At;
        foreach (var unread in report.Unread)
        {
            Add(at, unread);
        }

        foreach (var name in report.Datasets)
        {
            Dataset(name);
        }

        // Another event of the batch can report the same run with its true pipeline. So what this event says about a run
        // is left out by its own pipeline, not by whether the batch knows the run.
        var own = report.Runs.Where(run => !taken.Contains((run.RunId, run.PipelineId)) && jobs.Refusal(run.PipelineId) is null).ToList();
        var runs = own.Select(run => run.RunId).ToHashSet(StringComparer.Ordinal);
        foreach (var run in own)
        {
            Add(at, run);
        }

        foreach (var facet in report.Facets.Where(facet => facet.Subject != FacetSubject.Run || runs.Contains(facet.Id)))
        {
            Add(at, facet);
        }

        foreach (var use in report.Uses.Where(use => runs.Contains(use.RunId)))
        {
            Add(at, use);
        }

        foreach (var edge in report.Edges)
        {
            Add(at, edge, isOfOwnRun: edge.RunId is { } run && runs.Contains(run));
        }

        foreach (var edge in report.ColumnEdges)
        {
            Add(at, edge);
        }
    }

    /// <summary>The statements in the order in which they must run.</summary>
    public IEnumerable<Statement> Statements() => LineageFactStatements.All(dialect, organization, now,
        [.. _datasets.OrderBy(row => row.Key).Select(row => row.Value)],
        [.. _facets.OrderBy(row => row.Key).Select(row => row.Value)],
        [.. _runs.Values.Select(WithEdges).OrderBy(row => row.RunId, StringComparer.Ordinal)],
        [.. _uses.OrderBy(row => row.Key).Select(row => row.Value)],
        [.. _runs.Values.Where(row => _runsWithUses.Contains(row.RunId)).Select(WithEdges)
            .OrderBy(row => row.RunId, StringComparer.Ordinal)],
        [.. _edges.OrderBy(row => row.Key).Select(row => row.Value)],
        [.. _columns.OrderBy(row => row.Key).Select(row => row.Value)],
        [.. _pipelines.Order(StringComparer.Ordinal)],
        [.. _unread.Values.OrderBy(row => (row.Key.Place, row.Key.Facet, row.Key.Reason))]);

    private RunRow WithEdges(RunRow row) =>
        _runsWithInputs.Contains(row.RunId) && _runsWithOutputs.Contains(row.RunId) ? row with { HasEdges = true } : row;

    private void Add(DateTimeOffset at, ReportedRun run)
    {
        _runs[run.RunId] = _runs.TryGetValue(run.RunId, out var row)
            ? row with
            {
                First = Min(row.First, at),
                Last = Max(row.Last, at),
                Completed = row.Completed || run.Completed,
                ParentRunId = Greater(row.ParentRunId, run.ParentRunId),
                ParentJob = Greater(row.ParentJob, run.ParentJob),
                RootRunId = Greater(row.RootRunId, run.RootRunId),
            }
            : new(run.RunId, run.PipelineId, at, at, run.Completed, run.ParentRunId, run.ParentJob, run.RootRunId);
        // An earlier event can move the first time of the run, and this can change when edges end. So the edges of the
        // pipeline are updated again.
        _pipelines.Add(run.PipelineId);
    }

    private void Add(DateTimeOffset at, ReportedFacet facet)
    {
        var id = facet.Dataset is null ? facet.Id : Dataset(facet.Dataset).ToString();
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(facet.Value));
        var key = (facet.Subject, id, facet.Facet, Convert.ToHexString(hash));
        _facets[key] = _facets.TryGetValue(key, out var row)
            ? row with { First = Min(row.First, at), Last = Max(row.Last, at) }
            : new(facet.Subject, id, facet.Facet, hash, facet.Value, at, at);
    }

    private void Add(DateTimeOffset at, ReportedUse use)
    {
        var key = (use.RunId, use.Direction, Dataset(use.Dataset));
        var row = new UseRow(use.RunId, use.Direction, key.Item3, at, at, use.Rows, use.Bytes, use.Files,
            use is { Rows: null, Bytes: null, Files: null } ? null : at);
        if (_uses.TryGetValue(key, out var known))
        {
            var latest = row.Measure.CompareTo(known.Measure) > 0 ? row : known;
            row = latest with { First = Min(known.First, at), Last = Max(known.Last, at) };
        }

        _uses[key] = row;
        _runsWithUses.Add(use.RunId);
        switch (use.Direction)
        {
            case UseDirection.Input:
                _runsWithInputs.Add(use.RunId);
                break;
            case UseDirection.Output:
                _runsWithOutputs.Add(use.RunId);
                break;
        }
    }

    private void Add(DateTimeOffset at, ReportedEdge edge, bool isOfOwnRun)
    {
        var key = (edge.PipelineId, Dataset(edge.Upstream), Dataset(edge.Downstream));
        if (key.Item2 == key.Item3)
        {
            return;
        }

        _edges[key] = _edges.TryGetValue(key, out var row)
            ? row with { First = Min(row.First, at), Last = Max(row.Last, at) }
            : new(edge.PipelineId, key.Item2, key.Item3, at, at);
        if (isOfOwnRun)
        {
            _runs[edge.RunId!] = _runs[edge.RunId!] with { HasEdges = true };
        }

        _pipelines.Add(edge.PipelineId);
    }

    private void Add(DateTimeOffset at, ReportedColumnEdge edge)
    {
        var (upstream, downstream) = (Dataset(edge.Upstream), Dataset(edge.Downstream));
        var key = (downstream, edge.DownstreamColumn, upstream, edge.UpstreamColumn, edge.PipelineId);
        _columns[key] = _columns.TryGetValue(key, out var row)
            ? row with
            {
                Transformation = Greater(row.Transformation, edge.Transformation)!,
                First = Min(row.First, at),
                Last = Max(row.Last, at),
            }
            : new(downstream, edge.DownstreamColumn, upstream, edge.UpstreamColumn, edge.PipelineId, edge.Transformation, at, at);
    }

    private Guid Dataset(DatasetName name)
    {
        var dataset = resolve(name);
        _datasets.TryAdd(dataset.Key, dataset);
        return dataset.Key;
    }

    private static DateTimeOffset Min(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static string? Greater(string? a, string? b) => string.CompareOrdinal(a, b) >= 0 ? a : b;
}

internal sealed record FacetRow(
    string Subject, string Id, string Facet, byte[] Hash, string Value, DateTimeOffset First, DateTimeOffset Last);

internal sealed record RunRow(
    string RunId, string PipelineId, DateTimeOffset First, DateTimeOffset Last, bool Completed, string? ParentRunId, string? ParentJob,
    string? RootRunId)
{
    /// <summary>
    /// Whether the events of the batch report an edge of the run, or both its inputs and its outputs.
    /// </summary>
    public bool HasEdges { get; init; }
}

internal sealed record UseRow(
    string RunId, string Direction, Guid Dataset, DateTimeOffset First, DateTimeOffset Last, long? Rows, long? Bytes, long? Files,
    DateTimeOffset? MeasuredAt)
{
    public (DateTimeOffset, long, long, long) Measure => (MeasuredAt ?? DateTimeOffset.MinValue, Rows ?? -1, Bytes ?? -1, Files ?? -1);
}

internal sealed record EdgeRow(string PipelineId, Guid Upstream, Guid Downstream, DateTimeOffset First, DateTimeOffset Last);

internal sealed record ColumnRow(
    Guid Downstream, string DownstreamColumn, Guid Upstream, string UpstreamColumn, string PipelineId, string Transformation,
    DateTimeOffset First, DateTimeOffset Last);

internal sealed record UnreadRow(UnreadFacet Key, long Events, DateTimeOffset First, DateTimeOffset Last);
