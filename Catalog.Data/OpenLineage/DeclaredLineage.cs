using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>Reads the lineage facet, in which the event lists each edge of datasets and of columns.</summary>
internal static class DeclaredLineage
{
    /// <summary>Reads the facet of a job: a list of targets with their sources.</summary>
    public static void ReadJob(EventReportBuilder report, JsonElement facet)
    {
        foreach (var entry in facet.Items("entries"))
        {
            if ("DATASET".Equals(entry.Text("type"), StringComparison.OrdinalIgnoreCase) && report.Dataset(entry, "job") is { } target)
            {
                ReadTarget(report, target, entry);
            }
            else
            {
                // An entry whose target is a job gives no edge between datasets.
                report.Unread("job", "lineage", entry.Text("type") is null ? UnreadReason.Invalid : UnreadReason.Unknown);
            }
        }
    }

    /// <summary>Reads the sources of one target.</summary>
    public static void ReadTarget(EventReportBuilder report, DatasetName target, JsonElement facet)
    {
        foreach (var input in facet.Items("inputs"))
        {
            if (Source(report, input) is { } source)
            {
                report.Edge(source, target);
                if (input.Text("field") is { } column)
                {
                    report.ColumnEdge(source, column, target, "", ColumnLineage.Transformations(input) ?? "");
                }
            }
        }

        foreach (var field in facet.Members("fields"))
        {
            foreach (var input in field.Value.Items("inputs"))
            {
                if (Source(report, input) is { } source)
                {
                    report.Edge(source, target);
                    report.ColumnEdge(source, input.Text("field") ?? "", target, StoredText.Clean(field.Name),
                        ColumnLineage.Transformations(input) ?? "");
                }
            }
        }
    }

    private static DatasetName? Source(EventReportBuilder report, JsonElement input)
    {
        if ("JOB".Equals(input.Text("type"), StringComparison.OrdinalIgnoreCase))
        {
            report.Unread("job", "lineage", UnreadReason.Unknown);
            return null;
        }

        return report.Dataset(input, "dataset");
    }
}
