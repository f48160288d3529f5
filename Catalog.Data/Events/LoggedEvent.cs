namespace Catalog.Data.Events;

/// <summary>The dialects (formats) of logged events.</summary>
public static class EventDialect
{
    public const string OpenLineage = "openlineage";

    /// <summary>An upload of dbt artifacts.</summary>
    public const string Dbt = "dbt";

    /// <summary>A trace of OpenTelemetry: the spans of one dbt invocation in one request.</summary>
    public const string Otlp = "otlp";
}

/// <summary>One event of another tool, and the report of what it says.</summary>
public sealed record LoggedEvent
{
    /// <summary>A word of <see cref="EventDialect"/>.</summary>
    public required string Dialect { get; init; }

    /// <summary>
    /// A SHA-256 hash that identifies the event. An event with the same dialect and digest is a repetition and changes
    /// nothing.
    /// </summary>
    public required byte[] Digest { get; init; }

    /// <summary>The JSON that is stored. <see cref="Report"/> can be read from it again.</summary>
    public required string Body { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>What the event says.</summary>
    public required EventReport Report { get; init; }
}

/// <summary>The outcome of storing an event.</summary>
public enum EventOutcome
{
    /// <summary>The event is stored and its report is folded.</summary>
    Stored,

    /// <summary>The same event was stored before.</summary>
    Duplicate,

    /// <summary>
    /// The event is only stored in the log, because its job was deleted or would exceed the limit of the plan.
    /// </summary>
    LoggedOnly,
}
