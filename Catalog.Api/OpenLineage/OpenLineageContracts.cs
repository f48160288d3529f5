using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Data.Lineage;

namespace Catalog.Api.OpenLineage;

/// <summary>
/// An event of OpenLineage 2-0-2. An event with <c>run</c> is a RunEvent, one with only <c>job</c> is a JobEvent, and
/// one with only <c>dataset</c> is a DatasetEvent; <c>schemaURL</c> does not decide this. Further members are accepted.
/// </summary>
public sealed record OpenLineageEventBody
{
    /// <summary>START, RUNNING, COMPLETE, FAIL, ABORT or OTHER; any other word counts as RUNNING.</summary>
    [JsonPropertyName("eventType")]
    public string? EventType { get; init; }

    /// <summary>
    /// When the event happened. If this is not a readable time, or is more than 24 hours ahead, the time of receipt is
    /// used.
    /// </summary>
    [JsonPropertyName("eventTime")]
    public string? EventTime { get; init; }

    /// <summary>The run: <c>runId</c> (any text of at most 256 characters) and <c>facets</c>.</summary>
    [JsonPropertyName("run")]
    public JsonElement? Run { get; init; }

    /// <summary>
    /// The job: <c>namespace</c>, <c>name</c> and <c>facets</c>. It becomes the pipeline <c>namespace/name</c>.
    /// </summary>
    [JsonPropertyName("job")]
    public JsonElement? Job { get; init; }

    /// <summary>
    /// The datasets that were read: <c>namespace</c>, <c>name</c>, <c>facets</c> and <c>inputFacets</c>.
    /// </summary>
    [JsonPropertyName("inputs")]
    public JsonElement? Inputs { get; init; }

    /// <summary>
    /// The datasets that were written: <c>namespace</c>, <c>name</c>, <c>facets</c> and <c>outputFacets</c>.
    /// </summary>
    [JsonPropertyName("outputs")]
    public JsonElement? Outputs { get; init; }

    /// <summary>The dataset of a DatasetEvent.</summary>
    [JsonPropertyName("dataset")]
    public JsonElement? Dataset { get; init; }

    /// <summary>The program that reports.</summary>
    [JsonPropertyName("producer")]
    public string? Producer { get; init; }

    /// <summary>The version of the event's schema; it is not needed.</summary>
    [JsonPropertyName("schemaURL")]
    public string? SchemaUrl { get; init; }
}

/// <summary>The answer to a batch of events, as in OpenLineage's HTTP API 2.0.2.</summary>
public sealed record OpenLineageBatchResult
{
    /// <summary>success, or partial_success when an event was rejected.</summary>
    public required string Status { get; init; }

    public required OpenLineageBatchSummary Summary { get; init; }

    /// <summary>The rejected events; empty when every event is stored.</summary>
    public required IReadOnlyList<OpenLineageFailedEvent> FailedEvents { get; init; }
}

/// <summary>The numbers of events in a batch.</summary>
public sealed record OpenLineageBatchSummary
{
    /// <summary>The number of events in the batch.</summary>
    public required int Received { get; init; }

    /// <summary>The number of events that are stored, by this request or by an earlier one.</summary>
    public required int Successful { get; init; }

    /// <summary>The number of rejected events.</summary>
    public required int Failed { get; init; }

    /// <summary>
    /// The number of rejected events to send again. It is always 0: if events cannot be stored now, the whole batch
    /// gets 503.
    /// </summary>
    public required int Retriable { get; init; }

    /// <summary>The number of rejected events that would be rejected again.</summary>
    public required int NonRetriable { get; init; }
}

/// <summary>An event of a batch that is not stored.</summary>
public sealed record OpenLineageFailedEvent
{
    /// <summary>The position of the event in the batch, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What is wrong with the event.</summary>
    public required string Reason { get; init; }

    /// <summary>Whether the same event can be accepted later; always false.</summary>
    public required bool Retriable { get; init; }
}

/// <summary>A part of events that the Catalog stored but did not understand.</summary>
public sealed record UnreadFacetItem
{
    /// <summary>The part of the event that contains it: event, run, job, dataset, input or output.</summary>
    public required string Place { get; init; }

    /// <summary>The name of the facet, or of the member of the event.</summary>
    public required string Facet { get; init; }

    /// <summary>
    /// unknown: no facet of this name is known. invalid: its shape is wrong. limit: it exceeds a limit. plan_limit: the
    /// job would exceed the number of pipelines of the plan. deleted: the pipeline of the job was deleted.
    /// run_id_taken: the run belongs to another job.
    /// </summary>
    public required string Reason { get; init; }

    /// <summary>The number of events with this part and reason.</summary>
    public required long Events { get; init; }

    /// <summary>The time of the earliest of these events.</summary>
    public required DateTimeOffset FirstSeenAt { get; init; }

    /// <summary>The time of the latest of these events.</summary>
    public required DateTimeOffset LastSeenAt { get; init; }

    internal static UnreadFacetItem From(UnreadFacetCount row) => new()
    {
        Place = row.Place,
        Facet = row.Facet,
        Reason = row.Reason,
        Events = row.Events,
        FirstSeenAt = row.FirstAt,
        LastSeenAt = row.LastAt,
    };
}

/// <summary>The parts of events that were not understood, the most frequent first.</summary>
public sealed record UnreadFacetList
{
    /// <summary>At most 500 parts.</summary>
    public required IReadOnlyList<UnreadFacetItem> Items { get; init; }
}
