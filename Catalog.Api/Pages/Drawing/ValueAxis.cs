namespace Catalog.Api.Pages.Drawing;

/// <summary>A vertical axis of numbers with round ticks.</summary>
/// <param name="Bottom">The number at the bottom.</param>
/// <param name="Top">The number at the top, greater than <see cref="Bottom"/>.</param>
/// <param name="Ticks">The numbers with a label, from the bottom to the top.</param>
public sealed record ValueAxis(double Bottom, double Top, IReadOnlyList<double> Ticks)
{
    // If numbers were larger, the distance between two of them could be infinite.
    private const double Largest = 1e150;

    /// <summary>
    /// An axis that contains all values. It also contains zero, unless the values are far from zero compared with their
    /// range. Without values the axis is 0 to 1.
    /// </summary>
    public static ValueAxis Of(IEnumerable<double> values, int most = 5)
    {
        var finite = values.Where(value => !double.IsNaN(value)).Select(Finite).ToList();
        var (low, high) = finite.Count == 0 ? (0, 1) : (finite.Min(), finite.Max());
        var whole = finite.TrueForAll(value => value == Math.Floor(value));
        low = low > 0 && low < high * 0.6 ? 0 : low;
        high = high < 0 && high > low * 0.6 ? 0 : high;
        if (high - low <= Math.Max(Math.Abs(high), Math.Abs(low)) * 1e-9)
        {
            var margin = high == 0 ? 1 : Math.Abs(high) * 0.1;
            (low, high) = (low >= 0 ? Math.Max(0, low - margin) : low - margin, high + margin);
        }

        var step = Step((high - low) / most, whole);
        var bottom = Math.Floor(low / step) * step;
        var count = (int)Math.Clamp(Math.Ceiling(((high - bottom) / step) - 1e-9), 1, 20);
        var ticks = Enumerable.Range(0, count + 1).Select(index => Round(bottom + (index * step), step));
        return new ValueAxis(bottom, bottom + (count * step), [.. ticks]);
    }

    /// <summary>The position of a value, 0 (bottom) to 1 (top).</summary>
    public double Share(double value) => Math.Clamp((Finite(value) - Bottom) / (Top - Bottom), 0, 1);

    private static double Finite(double value) => Math.Clamp(value, -Largest, Largest);

    private static double Step(double rough, bool whole)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var factor = rough / power;
        var step = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
        return whole ? Math.Max(1, step) : step;
    }

    // Removes the rounding errors of binary fractions, so that 0.30000000000000004 becomes 0.3.
    private static double Round(double value, double step)
    {
        var digits = (int)Math.Ceiling(-Math.Log10(step)) + 1;
        return digits is >= 0 and <= 15 ? Math.Round(value, digits) : value;
    }
}
