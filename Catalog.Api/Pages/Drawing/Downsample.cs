namespace Catalog.Api.Pages.Drawing;

/// <summary>Reduces a list of points so that its chart still looks the same.</summary>
public static class Downsample
{
    /// <summary>
    /// At most <paramref name="most"/> of the points, which must be sorted by time. The first, the last, the lowest and
    /// the highest point stay. All failures stay if there is room; otherwise failures at equal distances in their list
    /// stay.
    /// </summary>
    public static IReadOnlyList<HistoryPoint> To(IReadOnlyList<HistoryPoint> points, int most)
    {
        if (points.Count <= most)
        {
            return points;
        }

        var kept = new SortedSet<int>(Extremes(points, 0, points.Count)) { 0, points.Count - 1 };
        var failures = Enumerable.Range(0, points.Count).Where(index => StatusLook.Of(points[index].Status).IsFailure).ToList();
        var room = most - kept.Count;
        kept.UnionWith(failures.Count <= room ? failures : OfEachPart(failures, room));

        // The points are cut into equal parts. The remaining room goes to the lowest and the highest point of each
        // part.
        var parts = (most - kept.Count) / 2;
        for (var part = 0; part < parts; part++)
        {
            kept.UnionWith(Extremes(points, (int)((long)points.Count * part / parts), (int)((long)points.Count * (part + 1) / parts)));
        }

        return [.. kept.Select(index => points[index])];
    }

    private static IEnumerable<int> OfEachPart(List<int> failures, int room) =>
        Enumerable.Range(0, Math.Max(0, room)).Select(part => failures[(int)((long)failures.Count * part / room)]);

    private static IEnumerable<int> Extremes(IReadOnlyList<HistoryPoint> points, int from, int to)
    {
        int? lowest = null;
        int? highest = null;
        for (var index = from; index < to; index++)
        {
            if (points[index].Value is not { } value || double.IsNaN(value))
            {
                continue;
            }

            lowest = lowest is { } low && points[low].Value <= value ? lowest : index;
            highest = highest is { } high && points[high].Value >= value ? highest : index;
        }

        return lowest is null ? [] : [lowest.Value, highest!.Value];
    }
}
