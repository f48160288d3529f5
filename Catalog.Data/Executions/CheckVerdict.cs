using Catalog.Data.Checks;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>One measurement of a check in the past.</summary>
/// <param name="ExecutedAt">When the check was executed.</param>
/// <param name="Number">The observed number; null when the result has no number.</param>
/// <param name="Status">A word of <see cref="CheckStatus"/>.</param>
public sealed record HistoryPoint(DateTimeOffset ExecutedAt, double? Number, string Status);

/// <summary>What a run of checks needs besides the checks.</summary>
public sealed record CheckRunContext
{
    /// <summary>Opens a session by the id of its connection. The runner closes it.</summary>
    public required Func<string, CancellationToken, Task<WarehouseSession>> Open { get; init; }

    /// <summary>Reads the newest results of a check. The second argument is the maximum number of results.</summary>
    public required Func<Check, int, CancellationToken, Task<IReadOnlyList<HistoryPoint>>> History { get; init; }

    /// <summary>Reads the columns of a check's table that are tagged <c>pii</c>. Their values are never kept.</summary>
    /// <remarks>The arguments are the check and the name of its table.</remarks>
    public required Func<Check, string, CancellationToken, Task<IReadOnlySet<string>>> PiiColumns { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }
}

/// <summary>The verdict of one executed check.</summary>
public sealed record CheckVerdict
{
    /// <summary>The executed check.</summary>
    public required Check Check { get; init; }

    /// <summary>A word of <see cref="CheckStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>The measured value as JSON; null when nothing was measured.</summary>
    public string? ObservedValue { get; init; }

    /// <summary>The measured number; null when nothing was measured or the measured value is not a number.</summary>
    public double? ObservedNumber { get; init; }

    /// <summary>The rule and the thresholds as a JSON object; null when the check has neither.</summary>
    public string? Expected { get; init; }

    /// <summary>The number of rows that violate the check; null for kinds that do not count rows.</summary>
    public long? FailedRows { get; init; }

    /// <summary>The number of rows that the check judged; null for kinds that do not count rows.</summary>
    public long? TotalRows { get; init; }

    /// <summary>The verdict in words. Contains no data of the warehouse.</summary>
    public required string Message { get; init; }

    /// <summary>
    /// The time that the statements of the check took. Each check of a shared scan has the time of the whole scan.
    /// </summary>
    public TimeSpan Duration { get; init; }

    /// <summary>A JSON object with further facts, such as samples or groups; null when there are none.</summary>
    public string? Metadata { get; init; }

    /// <summary>The checked table; null when it is not known.</summary>
    public string? Table { get; init; }
}
