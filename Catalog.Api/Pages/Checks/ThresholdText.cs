using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Pages.Checks;

/// <summary>Thresholds of checks in words.</summary>
internal static class ThresholdText
{
    /// <summary>A threshold in words, such as <c>above 5 % of the judged rows</c>.</summary>
    /// <returns>
    /// The words; null when the threshold has an unknown shape. A check that a pipeline defines may have any shape.
    /// </returns>
    public static string? InWords(RawJson threshold)
    {
        using var json = JsonDocument.Parse(threshold.Text);
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return root.ValueKind == JsonValueKind.Number && Value(root, "") is { } number ? $"above {number}" : null;
        }

        var isPercent = root.TryGetProperty("unit", out var unit) && unit.ValueKind == JsonValueKind.String && unit.ValueEquals("percent");
        if (unit.ValueKind != JsonValueKind.Undefined && !isPercent && unit.ToString() != "count")
        {
            return null;
        }

        var words = root.EnumerateObject().Where(property => property.Name != "unit")
            .Select(property => Condition(property.Name, property.Value, isPercent ? " %" : "")).ToList();
        return words.Count == 0 || words.Contains(null) ? null
            : string.Join(" and ", words) + (isPercent ? " of the judged rows" : "");
    }

    private static string? Condition(string name, JsonElement value, string unit) => name switch
    {
        "between" => Pair(value, unit) is var (low, high) ? $"from {low} to {high}" : null,
        "outside" => Pair(value, unit) is var (low, high) ? $"below {low} or above {high}" : null,
        _ => Value(value, unit) is { } text ? name switch
        {
            "above" => $"above {text}",
            "at_least" => $"at {text} or more",
            "below" => $"below {text}",
            "at_most" => $"at {text} or less",
            "equals" => $"at exactly {text}",
            "not_equals" => $"at anything but {text}",
            _ => null,
        } : null,
    };

    private static (string Low, string High)? Pair(JsonElement value, string unit) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2
        && Value(value[0], unit) is { } low && Value(value[1], unit) is { } high ? (low, high) : null;

    // A limit for an age is a text such as "2h".
    private static string? Value(JsonElement value, string unit) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => DisplayText.Value(number) + unit,
        JsonValueKind.String => DisplayText.Shorten(value.GetString()!, 80),
        _ => null,
    };
}
