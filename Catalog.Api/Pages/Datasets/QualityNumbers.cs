using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Pages.Datasets;

/// <summary>The numbers in quality metrics of OpenLineage. The metrics may have any shape.</summary>
/// <param name="Rows">The number of rows; null when it is not reported.</param>
/// <param name="Bytes">The size of the data in bytes; null when it is not reported.</param>
/// <param name="Missing">
/// The columns with missing values, each with the number of missing values, such as <c>email: 12</c>; empty for none.
/// </param>
internal sealed record QualityNumbers(long? Rows, long? Bytes, string Missing)
{
    private const int MaxColumns = 8;

    public static QualityNumbers Of(RawJson? metrics)
    {
        using var json = JsonDocument.Parse(metrics?.Text ?? "null");
        List<string> missing =
        [
            .. Columns(json.RootElement).Select(column => (column.Name, Nulls: Number(column.Value, "nullCount") ?? 0))
                .Where(column => column.Nulls > 0).OrderByDescending(column => column.Nulls)
                .ThenBy(column => column.Name, StringComparer.Ordinal)
                .Select(column => $"{DisplayText.Clean(column.Name)}: {DisplayText.Count(column.Nulls)}"),
        ];
        return new(Number(json.RootElement, "rowCount"), Number(json.RootElement, "bytes"), string.Join(", ", missing.Take(MaxColumns))
            + (missing.Count > MaxColumns ? $" and {missing.Count - MaxColumns} more" : ""));
    }

    private static IEnumerable<JsonProperty> Columns(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("columnMetrics", out var columns)
        && columns.ValueKind == JsonValueKind.Object ? columns.EnumerateObject().ToList() : [];

    private static long? Number(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var number) ? number : null;
}
