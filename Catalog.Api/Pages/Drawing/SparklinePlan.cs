namespace Catalog.Api.Pages.Drawing;

/// <summary>A run in a sparkline.</summary>
/// <param name="Status">The status of the run.</param>
/// <param name="Duration">How long it took, or has taken; null when it has not started.</param>
/// <param name="Title">The text on hover, such as "run 42, failed after 4 min".</param>
/// <param name="Href">Where the bar leads; null for a bar without a link.</param>
public sealed record SparklineRun(string Status, TimeSpan? Duration, string Title, string? Href = null);

/// <summary>The bars of a sparkline and the sentence that says the same.</summary>
public sealed class SparklinePlan
{
    /// <summary>The number of runs that are drawn.</summary>
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

    /// <summary>Plans the bars of the last runs; fewer than 30 stand at the right, where the newest is.</summary>
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
        // The upright line is as thick as the bar, so that a dash pattern becomes stripes.
        var path = $"M{DrawingText.Number(x + (Thick / 2) + 0.5)} {DrawingText.Number(Height)}v{DrawingText.Number(-height)}";
        var href = run.Href is null ? null : DrawingText.Clean(run.Href);
        return new Bar(x, path, look.Class, look.IsFailure, DrawingText.Clean(run.Title), href);
    }

    private static string LabelOf(List<SparklineRun> runs)
    {
        if (runs.Count == 0)
        {
            return "No runs";
        }

        var parts = new List<string> { DrawingText.Of(runs.Count, "run") };
        var failed = runs.Count(run => StatusLook.Of(run.Status).IsFailure);
        parts.Add(failed == 0 ? "none failed" : $"{DrawingText.Count(failed)} failed");
        var durations = runs.Where(run => run.Duration is not null && StatusLook.Of(run.Status).Class == "status-completed")
            .Select(run => run.Duration!.Value).Order().ToList();
        if (durations.Count > 0)
        {
            parts.Add($"median {DrawingText.Duration(durations[(durations.Count - 1) / 2])}");
        }

        return string.Join(", ", parts);
    }

    /// <summary>One bar.</summary>
    /// <param name="X">Its left edge.</param>
    /// <param name="Path">The line that is drawn as thick as the bar.</param>
    /// <param name="Class">The class of its colour.</param>
    /// <param name="Striped">Whether it is striped, as failed runs are.</param>
    /// <param name="Title">The text on hover.</param>
    /// <param name="Href">Where it leads, or null.</param>
    public sealed record Bar(double X, string Path, string Class, bool Striped, string Title, string? Href);
}
