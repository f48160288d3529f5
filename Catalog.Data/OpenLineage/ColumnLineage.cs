using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>Reads the columnLineage facet of all versions up to 1-2-0.</summary>
internal static class ColumnLineage
{
    public static void Read(EventReportBuilder report, DatasetName dataset, JsonElement facet)
    {
        foreach (var column in facet.Members("fields"))
        {
            foreach (var input in column.Value.Items("inputFields"))
            {
                Add(report, dataset, column.Name, input, Transformations(input) ?? OldTransformation(column.Value));
            }
        }

        // These inputs affect every row of the dataset. An example is the column of a filter.
        foreach (var input in facet.Items("dataset"))
        {
            Add(report, dataset, "", input, Transformations(input) ?? "");
        }
    }

    /// <summary>The transformations of an input as a canonical JSON array; null when none are reported.</summary>
    public static string? Transformations(JsonElement input) =>
        input.ValueKind == JsonValueKind.Object && input.TryGetProperty("transformations", out var list)
        && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? CanonicalJson.Text(list) : null;

    private static void Add(EventReportBuilder report, DatasetName dataset, string column, JsonElement input, string transformation)
    {
        if (input.ValueKind == JsonValueKind.Object && report.Dataset(input, "dataset") is { } upstream)
        {
            report.ColumnEdge(upstream, input.Text("field") ?? "", dataset, StoredText.Clean(column), transformation);
        }
        else
        {
            report.Unread("dataset", "columnLineage", UnreadReason.Invalid);
        }
    }

    private static string OldTransformation(JsonElement column) =>
        (column.Text("transformationType"), column.Text("transformationDescription")) is (not null, _) or (_, not null)
            ? JsonSerializer.Serialize(new[]
            {
                new { description = column.Text("transformationDescription"), type = column.Text("transformationType") },
            })
            : "";
}
