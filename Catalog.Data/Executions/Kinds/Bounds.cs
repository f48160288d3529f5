using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Executions.Kinds;

/// <summary>The parameters <c>min</c> and <c>max</c>. A bound belongs to the range unless it is strict.</summary>
internal sealed partial record Bounds(JsonElement? Min, JsonElement? Max, bool StrictMin, bool StrictMax)
{
    /// <summary>The names of the parameters.</summary>
    public static IReadOnlyList<string> Names { get; } = ["min", "max", "strict_min", "strict_max"];

    /// <summary>Reads the parameters; null when neither bound is given.</summary>
    public static Bounds? Read(CheckParameters parameters, bool allowEmpty = false)
    {
        var bounds = new Bounds(
            parameters.Scalar("min"), parameters.Scalar("max"), parameters.Flag("strict_min"), parameters.Flag("strict_max"));
        // If min is greater than max, the range contains no number, so the definition is rejected. It is accepted for
        // lengths, because Great Expectations accepts it. Every value then violates the check.
        if (bounds is { Min: { ValueKind: JsonValueKind.Number } min, Max: { ValueKind: JsonValueKind.Number } max }
            && MeasuredValues.Compare(MeasuredValues.OfJson(min), MeasuredValues.OfJson(max)) > 0 && !allowEmpty)
        {
            parameters.Wrong("max", "must not be less than min.");
        }

        return bounds.Min is null && bounds.Max is null ? null : bounds;
    }

    /// <summary>Reads the parameters. Adds an error when neither bound is given.</summary>
    public static Bounds Required(CheckParameters parameters, bool allowEmpty = false)
    {
        if (Read(parameters, allowEmpty) is { } bounds)
        {
            return bounds;
        }

        parameters.Wrong("min", "is required if there is no max.");
        return new(null, null, false, false);
    }

    /// <summary>The SQL condition that is true for a value outside the range. It is not true for null.</summary>
    public string Outside(WarehouseSql sql, string expression) => string.Join(" or ", new[]
    {
        Min is { } min ? $"{expression} {(StrictMin ? "<=" : "<")} {sql.Literal(min)}" : null,
        Max is { } max ? $"{expression} {(StrictMax ? ">=" : ">")} {sql.Literal(max)}" : null,
    }.OfType<string>());

    /// <summary>Whether a measured value is outside the range; null when it cannot be compared with a bound.</summary>
    public bool? IsOutside(object value)
    {
        if ((Min is { } min && Compare(value, min) is null) || (Max is { } max && Compare(value, max) is null))
        {
            return null;
        }

        return (Min is { } lower && Compare(value, lower) is var below && (below < 0 || (StrictMin && below == 0)))
            || (Max is { } upper && Compare(value, upper) is var above && (above > 0 || (StrictMax && above == 0)));
    }

    /// <summary>The bounds as JSON, to be shown.</summary>
    public string ToJson()
    {
        List<string> members =
        [
            .. Min is { } min ? [$"\"min\":{min.GetRawText()}"] : Array.Empty<string>(),
            .. Max is { } max ? [$"\"max\":{max.GetRawText()}"] : Array.Empty<string>(),
            .. StrictMin ? ["\"strict_min\":true"] : Array.Empty<string>(), .. StrictMax ? ["\"strict_max\":true"] : Array.Empty<string>(),
        ];
        return $"{{{string.Join(',', members)}}}";
    }

    private static int? Compare(object value, JsonElement bound)
    {
        if (bound.ValueKind == JsonValueKind.Number)
        {
            return MeasuredValues.Compare(value, MeasuredValues.OfJson(bound));
        }

        if (bound.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return MeasuredValues.Compare(value, bound.GetBoolean());
        }

        // A text column can contain times. If the bound is a time too, they are compared as times.
        var text = bound.GetString()!;
        if (IsDate().IsMatch(text) && MeasuredValues.Time(value) is { } time && MeasuredValues.Time(text) is { } boundTime)
        {
            return time.CompareTo(boundTime);
        }

        return value is string other ? string.CompareOrdinal(other, text) : MeasuredValues.Compare(value, text);
    }

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}")]
    private static partial Regex IsDate();
}
