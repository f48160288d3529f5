namespace Catalog.Data.Checks;

/// <summary>The definition of a check.</summary>
public sealed record Check
{
    public required string Id { get; init; }

    /// <summary>Empty for a check that stands alone.</summary>
    public required string PipelineId { get; init; }

    /// <summary>The version of the pipeline that brought it; null when it was created by itself.</summary>
    public string? PipelineVersion { get; init; }

    public string? Dataset { get; init; }
    public string? ConnectionId { get; init; }
    public string? Kind { get; init; }

    /// <summary>A word of <see cref="CheckSeverity"/>.</summary>
    public required string Severity { get; init; }

    /// <summary>The definition as sent: a JSON object.</summary>
    public required string Definition { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>What became of a definition that was posted.</summary>
public enum CheckOutcome
{
    /// <summary>It is new.</summary>
    Created,

    /// <summary>The same definition was there.</summary>
    Unchanged,

    /// <summary>Another definition has this id; nothing was stored.</summary>
    IdTaken,

    /// <summary>No such pipeline; nothing was stored.</summary>
    PipelineUnknown,
}

/// <summary>Which definitions to list. Null does not filter.</summary>
public sealed record CheckFilter
{
    /// <summary>Empty: only checks that stand alone.</summary>
    public string? PipelineId { get; init; }
    public string? Dataset { get; init; }
    public string? Kind { get; init; }
    public string? Severity { get; init; }
}

/// <summary>How often a check had each status, over its newest results.</summary>
public sealed record CheckRecord
{
    public long Pass { get; init; }
    public long Warn { get; init; }
    public long Fail { get; init; }
    public long Error { get; init; }

    /// <summary>Passes among the results that say something about the data (errors do not), 0 to 1; null when there are none.</summary>
    public double? PassRate => Pass + Warn + Fail is > 0 and var judged ? (double)Pass / judged : null;
}
