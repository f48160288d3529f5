using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>
/// A downsampled series keeps the points that a reader looks for. Random series are compared with the rule.
/// </summary>
[Trait("Category", "Fast")]
public sealed class DownsampleTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private static List<HistoryPoint> Series(Random random, int count, double failing) =>
    [
        .. Enumerable.Range(0, count).Select(index => new HistoryPoint(Start.AddMinutes(index),
            random.NextDouble() < failing ? (random.Next(2) == 0 ? "fail" : "error") : "pass",
            random.Next(20) == 0 ? null : random.Next(30) == 0 ? double.NaN : Math.Round(random.NextDouble() * 1000))),
    ];

    [Fact]
    public void Extremes_ends_and_every_failure_stay_within_the_limit()
    {
        var random = new Random(11);
        for (var round = 0; round < 300; round++)
        {
            var points = Series(random, random.Next(0, 4000), random.NextDouble() * 0.08);
            var most = random.Next(400, 600);
            var kept = Downsample.To(points, most);

            Assert.InRange(kept.Count, Math.Min(points.Count, most / 2), most);
            Assert.Equal(points.Where(new HashSet<HistoryPoint>(kept, ReferenceEqualityComparer.Instance).Contains), kept);
            Assert.Equal(points.Where(point => point.Status != "pass"), kept.Where(point => point.Status != "pass"));
            Assert.Equal(points.Max(point => Number(point.Value)), kept.Max(point => Number(point.Value)));
            Assert.Equal(points.Min(point => Number(point.Value)), kept.Min(point => Number(point.Value)));
            Assert.Equal(points.Take(1).Concat(points.TakeLast(1)), kept.Take(1).Concat(kept.TakeLast(1)));
        }

        static double? Number(double? value) => value is { } number && !double.IsNaN(number) ? number : null;
    }

    [Fact]
    public void More_failures_than_fit_are_spread_over_the_time()
    {
        var points = Series(new Random(1), 100_000, 1);
        var kept = Downsample.To(points, 500);

        Assert.InRange(kept.Count, 490, 500);
        Assert.All(Enumerable.Range(0, 100), part => Assert.Contains(kept, point =>
            point.At >= Start.AddMinutes(part * 1000) && point.At < Start.AddMinutes((part + 1) * 1000)));
    }
}
