using System.Globalization;

namespace Catalog.Bench.Load;

internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>The smallest value that at least this share (0 to 1) of the values do not exceed.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * share) - 1)];
    }

    /// <summary>The increase from one value to the next, by least squares, for values at equal intervals.</summary>
    public static double Slope(IReadOnlyList<double> values)
    {
        var (middle, mean) = ((values.Count - 1) / 2.0, values.Average());
        return values.Index().Sum(value => (value.Index - middle) * (value.Item - mean)) / values.Index()
            .Sum(value => Math.Pow(value.Index - middle, 2));
    }

    public static string Ratio(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture);
}
