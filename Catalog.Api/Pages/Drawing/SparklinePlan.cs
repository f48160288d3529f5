namespace Catalog.Api.Pages.Drawing;

/// <summary>A run in a sparkline.</summary>
/// <param name="Status">The status of the run.</param>
/// <param name="Duration">How long the run took, or has taken until now; null when it has not started.</param>
/// <param name="Title">The text of the tooltip, such as "run 42, failed after 4 min".</param>
/// <param name="Href">The target of the bar's link; null for a bar without a link.</param>
public sealed record SparklineRun(string Status, TimeSpan? Duration, string Title, string? Href = null);

/// <summary>The bars of a sparkline, and a sentence that says the same.</summary>
public sealed class SparklinePlan
{
    /// <summary>The maximum number of runs that are drawn.</summary>
    public const int Limit = 30;

    internal const double Height = 24;
    internal const double Width = Limit * Step;
    private const double Step = 6;
    private const double Thick = 4;
    private const double Lowest = 3;

    private SparklinePlan(IReadOnlyList<Bar> bars, string label)
    {
        Bars = bars;
        Label = label;
    }

    /// <summary>The bars from left to right.</summary>
    public IReadOnlyList<Bar> Bars { get; }

    /// <summary>The sentence, such as "30 runs, 2 failed, median 4 min".</summary>
    public string Label { get; }

    internal bool HasLinks => Bars.Any(bar => bar.Href is not null);

    /// <summary>
    /// Plans the bars of the last runs. The newest run is at the right end, also when there are fewer than 30 runs.
    /// </summary>
    public static SparklinePlan Of(IReadOnlyList<SparklineRun> runs)
    {
        var drawn = runs.Skip(runs.Count - Limit).ToList();
        var longest = drawn.Max(run => run.Duration) ?? TimeSpan.Zero;
        var left = (Limit - drawn.Count) * Step;
        var bars = drawn.Select((run, index) => BarOf(run, left + (index * Step), longest)).ToList();
        return new SparklinePlan(bars, LabelOf(drawn));
    }

    private static Bar BarOf(SparklineRun run, double x, TimeSpan longest)
    {
        var look = StatusLook.Of(run.Status);
        var share = run.Duration is { } duration && longest > TimeSpan.Zero ? Math.Max(0, duration / longest) : 0;
        var height = Math.Round(Lowest + (share * (Height - Lowest)), 1);
        // Each bar is one vertical line of the bar's thickness, so that a dash pattern gives it stripes.
        var path = $"M{DisplayText.Number(x + (Thick / 2) + 0.5)} {DisplayText.Number(Height)}v{DisplayText.Number(-height)}";
        var href = run.Href is null ? null : DisplayText.Clean(run.Href);
        return new Bar(x, path, look.Class, look.IsFailure, DisplayText.Clean(run.Title), href);
    }

    private static string LabelOf(List<SparklineRun> runs)
    {
        if (runs.Count == 0)
        {
            return "No runs";
        }

        var parts = new List<string> { DisplayText.Of(runs.Count, "run") };
        var failed = runs.Count(run => StatusLook.Of(run.Status).IsFailure);
        parts.Add(failed == 0 ? "none failed" : $"{DisplayText.Count(failed)} failed");
        var durations = runs.Where(run => run.Duration is not null && StatusLook.Of(run.Status).Class == "status-completed")
            .Select(run => run.Duration!.Value).Order().ToList();
        if (durations.Count > 0)
        {
            parts.Add($"median {DisplayText.Duration(durations[(durations.Count - 1) / 2])}");
        }

        return string.Join(", ", parts);
    }

    /// <summary>One bar.</summary>
    /// <param name="X">The left edge of the bar.</param>
    /// <param name="Path">The line that is drawn as thick as the bar.</param>
    /// <param name="Class">The CSS class of the bar's colour.</param>
    /// <param name="Striped">Whether the bar is striped. Failed runs have striped bars.</param>
    /// <param name="Title">The text of the tooltip.</param>
    /// <param name="Href">The target of the bar's link, or null.</param>
    public sealed record Bar(double X, string Path, string Class, bool Striped, string Title, string? Href);
}
