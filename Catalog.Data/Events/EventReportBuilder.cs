using System.Text;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Runs;

namespace Catalog.Data.Events;

/// <summary>Collects what an event says, within the limits of one event.</summary>
/// <param name="at">The time of the event.</param>
/// <param name="receivedAt">When it was received.</param>
internal sealed class EventReportBuilder(DateTimeOffset at, DateTimeOffset receivedAt)
{
    /// <summary>The maximum number of edges between datasets in one event.</summary>
    public const int MaxEdges = 100_000;

    private const int MaxColumnEdges = 20_000;
    private const int MaxFacetCharacters = 256 * 1024;
    private const int MaxName = 2000;
    // One row of an index contains both columns and the pipeline. On Postgres such a row has at most 2,704 bytes.
    private const int MaxColumnBytes = 500;
    private const int MaxUnreadName = 128;
    private const int MaxUnread = 200;

    private static readonly string[] Underscored = ["_producer", "_schemaURL", "_deleted"];

    private readonly List<ReportedFacet> _facets = [];
    // The datasets by name, so that each name is hashed once. The lineage of columns names a dataset for each column.
    private readonly Dictionary<(string Namespace, string Name), DatasetName> _names = [];
    private readonly HashSet<DatasetName> _datasets = [];
    private readonly List<ReportedUse> _uses = [];
    private readonly HashSet<ReportedEdge> _edges = [];
    private readonly HashSet<ReportedColumnEdge> _columnEdges = [];
    private readonly HashSet<ReportedAlias> _aliases = [];
    private readonly Dictionary<string, CheckResult> _results = new(StringComparer.Ordinal);
    private readonly HashSet<UnreadFacet> _unread = [];
    private List<ReportedCheck>? _checks;

    /// <summary>How many datasets the event may name.</summary>
    public int MaxDatasets { get; init; } = 2000;

    /// <summary>How many check results, and how many check definitions, the event may have.</summary>
    public int MaxResults { get; init; } = 1000;

    /// <summary>
    /// The place and the facet that are reported as unread when there are more results than <see cref="MaxResults"/>.
    /// </summary>
    public (string Place, string Facet) ResultPart { get; init; } = ("dataset", "dataQualityAssertions");

    public DateTimeOffset At => at;

    public DateTimeOffset ReceivedAt => receivedAt;

    /// <summary>The event's job; null for an event without a job.</summary>
    public ReportedJob? Job { get; set; }

    public List<ReportedJob> OtherJobs { get; } = [];

    /// <summary>The id of the event's run; null for an event without a run.</summary>
    public string? RunId { get; set; }

    public List<ReportedRun> Runs { get; } = [];

    public List<RunEvent> RunEvents { get; } = [];

    /// <summary>The id of the pipeline of edges and results; empty for an event without a job.</summary>
    public string PipelineId => Job?.PipelineId ?? "";

    public void Unread(string place, string facet, string reason)
    {
        if (_unread.Count < MaxUnread)
        {
            _unread.Add(new(place, StoredText.Cut(StoredText.Clean(facet), MaxUnreadName), reason));
        }
    }

    /// <summary>
    /// Adds the dataset that an object names. Null when it has no name, its name is too long, or the event has too many
    /// datasets.
    /// </summary>
    /// <param name="json">An object with namespace and name.</param>
    /// <param name="place">The place of the object, for <see cref="Unread"/>.</param>
    public DatasetName? Dataset(JsonElement json, string place)
    {
        if (json.Text("name") is not { } name || (json.Text("namespace") ?? "") is not { } space)
        {
            Unread(place, "name", UnreadReason.Invalid);
            return null;
        }

        if (!_names.TryGetValue((space, name), out var dataset))
        {
            _names.Add((space, name), dataset = new DatasetName(space, name));
        }

        return Dataset(dataset, place);
    }

    /// <summary>Adds a dataset. Null when its name is too long, or the event has too many datasets.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="place">The place of the event that names the dataset, for <see cref="Unread"/>.</param>
    public DatasetName? Dataset(DatasetName dataset, string place)
    {
        if (dataset.Namespace.Length + dataset.Name.Length > MaxName || (_datasets.Count >= MaxDatasets && !_datasets.Contains(dataset)))
        {
            Unread(place, "name", UnreadReason.Limit);
            return null;
        }

        _datasets.Add(dataset);
        return dataset;
    }

    /// <summary>
    /// Keeps a facet as canonical JSON without its members about the facet itself. A facet that is marked as deleted is
    /// kept as the JSON null.
    /// </summary>
    public void Keep(string subject, string id, DatasetName? dataset, string name, JsonElement facet)
    {
        if (facet.ValueKind != JsonValueKind.Object)
        {
            Unread(subject, name, UnreadReason.Invalid);
            return;
        }

        var isDeleted = facet.TryGetProperty("_deleted", out var deleted) && deleted.ValueKind == JsonValueKind.True;
        Keep(subject, id, dataset, name, isDeleted ? "null" : CanonicalJson.Text(facet, Underscored));
    }

    /// <summary>Keeps a value under the name of a facet.</summary>
    public void Keep(string subject, string id, DatasetName? dataset, string name, string json)
    {
        if (json.Length > MaxFacetCharacters)
        {
            Unread(subject, name, UnreadReason.Limit);
            return;
        }

        _facets.Add(new(subject, id, dataset, name, json));
    }

    public void Use(ReportedUse use) => _uses.Add(use);

    /// <summary>Adds an edge.</summary>
    /// <returns>False when the event has too many edges.</returns>
    public bool Edge(DatasetName upstream, DatasetName downstream)
    {
        if (_edges.Count >= MaxEdges)
        {
            Unread("dataset", "edges", UnreadReason.Limit);
            return false;
        }

        _edges.Add(new(PipelineId, upstream, downstream, RunId));
        return true;
    }

    public void ColumnEdge(DatasetName upstream, string upstreamColumn, DatasetName downstream, string downstreamColumn,
        string transformation)
    {
        if (_columnEdges.Count >= MaxColumnEdges || Encoding.UTF8.GetByteCount(upstreamColumn) > MaxColumnBytes
            || Encoding.UTF8.GetByteCount(downstreamColumn) > MaxColumnBytes)
        {
            Unread("dataset", "columnLineage", UnreadReason.Limit);
            return;
        }

        _columnEdges.Add(new(PipelineId, upstream, upstreamColumn, downstream, downstreamColumn, transformation));
    }

    public void Alias(DatasetName dataset, DatasetName other)
    {
        if (dataset.Key != other.Key)
        {
            _aliases.Add(new(dataset, other));
        }
    }

    /// <summary>Adds a result. An assertion that appears twice in an event gives one result.</summary>
    public void Result(CheckResult result)
    {
        if (_results.Count < MaxResults)
        {
            _results.TryAdd(result.Id, result);
        }
        else
        {
            Unread(ResultPart.Place, ResultPart.Facet, UnreadReason.Limit);
        }
    }

    /// <summary>Sets the definitions of the job's checks, at most <see cref="MaxResults"/>.</summary>
    public void Define(IEnumerable<ReportedCheck> checks)
    {
        var distinct = checks.DistinctBy(check => check.Id, StringComparer.Ordinal)
            .OrderBy(check => check.Id, StringComparer.Ordinal).Take(MaxResults + 1).ToList();
        if (distinct.Count > MaxResults)
        {
            Unread("event", "checks", UnreadReason.Limit);
            distinct.RemoveAt(MaxResults);
        }

        _checks = distinct;
        _facets.Add(new(FacetSubject.Job, PipelineId, null, ReportedChecks.Facet, $"{{\"count\":{distinct.Count}}}"));
    }

    public EventReport Build() => new()
    {
        At = at,
        Jobs = Job is null ? [] : [Job, .. OtherJobs.Where(job => job.PipelineId != Job.PipelineId)],
        RunEvents = RunEvents,
        Runs = Runs,
        Facets = _facets,
        Datasets = [.. _datasets],
        Uses = _uses,
        Edges = [.. _edges],
        ColumnEdges = [.. _columnEdges],
        Aliases = [.. _aliases],
        Results = [.. _results.Values],
        Checks = _checks,
        Unread = [.. _unread],
    };
}
