namespace Catalog.Api.Pages.Drawing;

/// <summary>One result of a check.</summary>
/// <param name="At">When it was computed.</param>
/// <param name="Status">Its status.</param>
/// <param name="Value">The measured number; null when there is none, as for an error.</param>
/// <param name="Href">Where its mark leads; null for a mark without a link.</param>
public sealed record HistoryPoint(DateTimeOffset At, string Status, double? Value, string? Href = null);

/// <summary>The limits of a check. Null: no such limit.</summary>
public sealed record HistoryLimits
{
    public double? WarnAbove { get; init; }
    public double? WarnBelow { get; init; }
    public double? FailAbove { get; init; }
    public double? FailBelow { get; init; }
}
