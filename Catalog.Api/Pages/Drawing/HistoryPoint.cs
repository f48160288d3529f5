namespace Catalog.Api.Pages.Drawing;

/// <summary>One result of a check.</summary>
/// <param name="At">When the check was executed.</param>
/// <param name="Status">The status of the result.</param>
/// <param name="Value">The measured number; null when the result has none, for example for an error.</param>
/// <param name="Href">The target of the mark's link; null for a mark without a link.</param>
public sealed record HistoryPoint(DateTimeOffset At, string Status, double? Value, string? Href = null);

/// <summary>The limits of a check. Each is null when the check has no such limit.</summary>
public sealed record HistoryLimits
{
    public double? WarnAbove { get; init; }
    public double? WarnBelow { get; init; }
    public double? FailAbove { get; init; }
    public double? FailBelow { get; init; }
}
