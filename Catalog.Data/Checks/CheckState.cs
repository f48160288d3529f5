namespace Catalog.Data.Checks;

/// <summary>
/// The latest result of one check: the result with the latest execution time. When several results have this time, it
/// is the worst of them (fail, error, warn, pass).
/// </summary>
public sealed record CheckState
{
    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }

    /// <summary>A word of <see cref="CheckStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>A word of <see cref="CheckSeverity"/>.</summary>
    public required string Severity { get; init; }

    public string? Dataset { get; init; }

    /// <summary>Any JSON value, as sent; null when none was sent or retention has removed the result.</summary>
    public string? ObservedValue { get; init; }

    /// <summary>
    /// The result's message; null when the result has no message, or when retention has removed the result.
    /// </summary>
    public string? Message { get; init; }

    public required string ResultId { get; init; }
    public string? RunId { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
}

/// <summary>The number of checks, by the status of their latest result.</summary>
public sealed record CheckStateCounts(RowCount Fail, RowCount Error, RowCount Warn, RowCount Pass);

/// <summary>Selects states to list. A null field does not filter.</summary>
public sealed record CheckStateFilter
{
    /// <summary>Words of <see cref="CheckStatus"/>. A check matches when its latest result has one of them.</summary>
    public IReadOnlyList<string>? Statuses { get; init; }

    public string? Severity { get; init; }

    /// <summary>Empty selects standalone checks only.</summary>
    public string? PipelineId { get; init; }

    /// <summary>
    /// A text that the id of the check contains; case is ignored. Only the first
    /// <see cref="CheckStateRepository.MaxExamined"/> checks of each status are searched.
    /// </summary>
    public string? Text { get; init; }
}
