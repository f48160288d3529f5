namespace Catalog.Data.Checks;

/// <summary>The definition of a check.</summary>
public sealed record Check
{
    public required string Id { get; init; }

    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    /// <summary>The pipeline version that defined the check; null when the check was created through the API.</summary>
    public string? PipelineVersion { get; init; }

    public string? Dataset { get; init; }
    public string? ConnectionId { get; init; }
    public string? Kind { get; init; }

    /// <summary>A word of <see cref="CheckSeverity"/>.</summary>
    public required string Severity { get; init; }

    /// <summary>
    /// The definition as a JSON object: as a client sent it, or as the Catalog made it from an event.
    /// </summary>
    public required string Definition { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Null when the check has no stored result.</summary>
    public LastResult? LastResult { get; init; }
}

/// <summary>
/// The latest result of a check: the result with the latest execution time. When several results have this time, it is
/// the worst of them (fail, error, warn, pass).
/// </summary>
public sealed record LastResult
{
    /// <summary>A word of <see cref="CheckStatus"/>.</summary>
    public required string Status { get; init; }

    public required DateTimeOffset ExecutedAt { get; init; }
    public required string ResultId { get; init; }
    public string? RunId { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }
}

/// <summary>The outcome of storing a definition.</summary>
public enum CheckOutcome
{
    /// <summary>The definition is new and stored.</summary>
    Created,

    /// <summary>The same definition was stored before.</summary>
    Unchanged,

    /// <summary>Another definition has this id; nothing is stored.</summary>
    IdTaken,

    /// <summary>The pipeline is not registered; nothing is stored.</summary>
    PipelineUnknown,
}

/// <summary>Selects definitions to list. A null field does not filter.</summary>
public sealed record CheckFilter
{
    /// <summary>Empty selects standalone checks only.</summary>
    public string? PipelineId { get; init; }

    public string? Dataset { get; init; }
    public string? Kind { get; init; }
    public string? Severity { get; init; }

    /// <summary>The status of the latest result, a word of <see cref="CheckStatus"/>.</summary>
    public string? Status { get; init; }
}

/// <summary>The number of check results, or of checks, with each status.</summary>
public sealed record CheckStatusCounts
{
    public long Pass { get; init; }
    public long Warn { get; init; }
    public long Fail { get; init; }
    public long Error { get; init; }

    /// <summary>
    /// The number of pass results divided by the number of pass, warn and fail results: from 0 to 1. Error results do
    /// not count. Null when no result counts.
    /// </summary>
    public double? PassRate => Pass + Warn + Fail is > 0 and var evaluated ? (double)Pass / evaluated : null;
}
