using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Data.Checks;

namespace Catalog.Api.Pages.Checks;

/// <summary>What the page of a check shows.</summary>
public sealed record CheckModel
{
    public required string Id { get; init; }

    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    /// <summary>Null when only results are known.</summary>
    public required CheckItem? Check { get; init; }

    /// <summary>The definition as it was sent, a JSON object; null when only results are known.</summary>
    public required string? Definition { get; init; }

    public required TimeRange Range { get; init; }
    public required DateTimeOffset Now { get; init; }

    /// <summary>The newest results of the range, latest first. The chart draws these.</summary>
    public required IReadOnlyList<ResultPoint> Drawn { get; init; }

    /// <summary>The number of results of the range with each status.</summary>
    public required CheckStatusCounts Counts { get; init; }

    /// <summary>The changes and failures in the newest results, also in those outside the range.</summary>
    public required CheckStreak Streak { get; init; }

    /// <summary>The results that the table shows.</summary>
    public required ItemList<CheckResultItem> Results { get; init; }
}
