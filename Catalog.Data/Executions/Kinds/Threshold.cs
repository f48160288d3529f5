using System.Globalization;
using System.Text.Json;

namespace Catalog.Data.Executions.Kinds;

/// <summary>
/// The condition under which a check warns or fails. A number N in the definition means "more than N". An object
/// contains comparisons, and all of them must be true.
/// </summary>
internal sealed record Threshold
{
    private static readonly string[] Comparisons =
        ["above", "at_least", "below", "at_most", "equals", "not_equals", "between", "outside"];

    // The product of this percentage and any number of rows is within the range of decimal.
    private const decimal MostPercent = 1_000_000_000;

    private readonly List<(string Comparison, decimal[] Bounds)> _conditions = [];

    private Threshold(string json) => Json = json;

    /// <summary>The threshold as sent.</summary>
    public string Json { get; }

    /// <summary>Whether the bounds are percentages of the judged rows.</summary>
    public bool IsPercent { get; private set; }

    /// <summary>Reads a threshold.</summary>
    /// <param name="value">The value of the field; undefined or null when there is no threshold.</param>
    /// <param name="durations">Whether a bound can be a duration such as <c>2h</c>. It is converted to seconds.</param>
    /// <param name="error">What is wrong with the value; null when the value is valid.</param>
    /// <returns>Null when there is no threshold, or when the value is wrong.</returns>
    public static Threshold? Read(JsonElement value, bool durations, out string? error)
    {
        error = null;
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number))
        {
            return FromNumber(number, value.GetRawText());
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            error = "must be a number or an object.";
            return null;
        }

        var threshold = new Threshold(value.GetRawText());
        foreach (var member in value.EnumerateObject())
        {
            if (member.NameEquals("unit"))
            {
                threshold.IsPercent = member.Value.ValueKind == JsonValueKind.String && member.Value.ValueEquals("percent");
                error ??= threshold.IsPercent || (member.Value.ValueKind == JsonValueKind.String && member.Value.ValueEquals("count"))
                    ? null : "has a unit that is neither count nor percent.";
            }
            else if (!Comparisons.Contains(member.Name, StringComparer.Ordinal))
            {
                error ??= $"contains {member.Name}; a threshold consists of unit, {string.Join(", ", Comparisons)}.";
            }
            else if (Bounds(member.Value, member.Name is "between" or "outside" ? 2 : 1, durations) is { } bounds)
            {
                threshold._conditions.Add((member.Name, bounds));
            }
            else
            {
                error ??= member.Name is "between" or "outside" ? $"must give {member.Name} as a list of two numbers, the lower first."
                    : $"must give {member.Name} as a number{(durations ? " of seconds, or a duration such as 2h" : "")}.";
            }
        }

        error ??= threshold.IsPercent && threshold._conditions.SelectMany(condition => condition.Bounds)
            .Any(bound => Math.Abs(bound) > MostPercent) ? $"must give percentages of at most {MostPercent}." : null;
        error ??= threshold.IsNeverMet()
            ? "can never be true, because all its comparisons must be true together. Use 'outside' for numbers outside a range." : null;
        error ??= threshold._conditions.Count == 0 ? $"must contain a comparison: {string.Join(", ", Comparisons)}." : null;
        return error is null ? threshold : null;
    }

    /// <summary>
    /// Whether a number meets the condition. If the unit is percent, its share of the total is compared.
    /// </summary>
    /// <param name="number">The measured number. NaN means that no row has a value, and meets every condition.</param>
    /// <param name="exact">The same number without rounding; null for a floating-point number.</param>
    /// <param name="total">The number of judged rows; used when the unit is percent.</param>
    public bool IsMet(double number, decimal? exact, long? total)
    {
        // A double cannot store 0.1 exactly, but a measured 0.1 must be equal to a bound of 0.1. So a double below 1e15
        // is compared as a decimal.
        exact ??= Math.Abs(number) < 1e15 ? (decimal)number : null;
        if (IsPercent && total is 0)
        {
            // If no rows were judged, 0 counts as 0 percent, and any other number counts as more than every percentage.
            return _conditions.TrueForAll(condition =>
                Holds(condition.Comparison, condition.Bounds, (number == 0 ? 0m : decimal.MaxValue).CompareTo));
        }

        // A share is compared without a division, so that 3 of 10 rows are exactly 30 percent.
        if (IsPercent && total is { } rows && exact is { } count && Math.Abs(count) < 1e26m)
        {
            return _conditions.TrueForAll(condition => Holds(
                condition.Comparison, Array.ConvertAll(condition.Bounds, bound => bound * rows), (count * 100).CompareTo));
        }

        return double.IsNaN(number) || _conditions.TrueForAll(condition => Holds(condition.Comparison, condition.Bounds,
            bound => exact is { } precise ? precise.CompareTo(bound) : number.CompareTo((double)bound)));
    }

    private bool IsNeverMet()
    {
        IEnumerable<decimal> Of(int place, params string[] names) =>
            _conditions.Where(condition => names.Contains(condition.Comparison)).Select(condition => condition.Bounds[^place]);
        var lowest = Of(1, "above", "at_least", "equals").Concat(Of(2, "between")).DefaultIfEmpty(decimal.MinValue).Max();
        var highest = Of(1, "below", "at_most", "equals", "between").DefaultIfEmpty(decimal.MaxValue).Min();
        return lowest > highest || (lowest == highest && Of(1, "above", "below").Contains(lowest));
    }

    private static Threshold FromNumber(decimal number, string json)
    {
        var threshold = new Threshold(json);
        threshold._conditions.Add(("above", [number]));
        return threshold;
    }

    private static decimal[]? Bounds(JsonElement value, int count, bool durations)
    {
        if (count == 1)
        {
            return Bound(value, durations) is { } bound ? [bound] : null;
        }

        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == count
            && Bound(value[0], durations) is { } lower && Bound(value[1], durations) is { } upper && lower <= upper ? [lower, upper] : null;
    }

    private static decimal? Bound(JsonElement value, bool durations) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) ? number
        : durations && value.ValueKind == JsonValueKind.String && DurationText.Parse(value.GetString()!) is { } age
            ? (decimal)age.TotalSeconds
        : null;

    private static bool Holds(string comparison, decimal[] bounds, Func<decimal, int> compare) => comparison switch
    {
        "above" => compare(bounds[0]) > 0,
        "at_least" => compare(bounds[0]) >= 0,
        "below" => compare(bounds[0]) < 0,
        "at_most" => compare(bounds[0]) <= 0,
        "equals" => compare(bounds[0]) == 0,
        "not_equals" => compare(bounds[0]) != 0,
        "between" => compare(bounds[0]) >= 0 && compare(bounds[1]) <= 0,
        _ => compare(bounds[0]) < 0 || compare(bounds[1]) > 0,
    };

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Json}");
}
