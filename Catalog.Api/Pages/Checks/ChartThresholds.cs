using System.Text.Json;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Api.Pages.Checks;

/// <summary>The limits of a check that a chart of its numbers can show.</summary>
internal static class ChartThresholds
{
    /// <summary>
    /// Reads the limits of a check. The chart draws no line for a limit in percent, and none for equals, not_equals and
    /// between.
    /// </summary>
    public static HistoryLimits Of(CheckItem? check)
    {
        var (warnBelow, warnAbove) = Bounds(check?.Warn);
        var (failBelow, failAbove) = Bounds(check?.Fail);
        return new() { WarnAbove = warnAbove, WarnBelow = warnBelow, FailAbove = failAbove, FailBelow = failBelow };
    }

    private static (double? Below, double? Above) Bounds(RawJson? threshold)
    {
        if (threshold is not { } raw)
        {
            return default;
        }

        // A check that a pipeline defines may have any JSON here.
        using var json = JsonDocument.Parse(raw.Text);
        var root = json.RootElement;
        if (root.ValueKind == JsonValueKind.Number)
        {
            return (null, Number(root));
        }

        if (root.ValueKind != JsonValueKind.Object || (root.TryGetProperty("unit", out var unit) && unit.ToString() == "percent"))
        {
            return default;
        }

        double? Find(string name, int place = -1) => !root.TryGetProperty(name, out var value) ? null
            : place < 0 ? Number(value)
            : value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2 ? Number(value[place]) : null;
        return (Find("below") ?? Find("at_most") ?? Find("outside", 0), Find("above") ?? Find("at_least") ?? Find("outside", 1));
    }

    private static double? Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;
}
