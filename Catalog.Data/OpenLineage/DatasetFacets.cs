using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>Reads the datasets of an event with their facets.</summary>
internal static class DatasetFacets
{
    private static readonly HashSet<string> Kept =
    [
        "schema", "ownership", "documentation", "dataSource", "datasetType", "version", "storage", "catalog", "hierarchy", "tags",
        "lifecycleStateChange", "dataQualityMetrics",
    ];

    /// <summary>Reads the inputs and outputs of a job.</summary>
    public static void ReadUses(EventReportBuilder report, JsonElement @event)
    {
        List<DatasetName> inputs = [];
        foreach (var json in @event.Items("inputs"))
        {
            if (report.Dataset(json, "input") is { } input)
            {
                inputs.Add(input);
                Read(report, input, json, "input");
                Use(report, input, UseDirection.Input, json.Object("inputFacets")?.Object("inputStatistics"));
            }
        }

        // Every input is upstream of every output. If an event has too many pairs, only its datasets are stored, not
        // the edges.
        var hasTooManyPairs = (long)inputs.Count * @event.Items("outputs").Count() > EventReportBuilder.MaxEdges;
        if (hasTooManyPairs)
        {
            report.Unread("event", "outputs", UnreadReason.Limit);
        }

        foreach (var json in @event.Items("outputs"))
        {
            if (report.Dataset(json, "output") is not { } output)
            {
                continue;
            }

            Read(report, output, json, "output");
            var isDeclared = hasTooManyPairs || json.Object("facets")?.Object("lineage") is not null;
            Use(report, output, isDeclared ? UseDirection.DeclaredOutput : UseDirection.Output,
                json.Object("outputFacets")?.Object("outputStatistics"));
            if (report.RunId is null && !isDeclared)
            {
                inputs.ForEach(input => report.Edge(input, output));
            }
        }
    }

    /// <summary>Reads the dataset of an event without a job.</summary>
    public static void ReadDataset(EventReportBuilder report, JsonElement json)
    {
        if (report.Dataset(json, "dataset") is { } dataset)
        {
            Read(report, dataset, json, "dataset");
        }
    }

    private static void Use(EventReportBuilder report, DatasetName dataset, string direction, JsonElement? statistics)
    {
        if (report.RunId is { } run)
        {
            report.Use(new(run, dataset, direction,
                statistics?.Count("rowCount"), statistics?.Count("size"), statistics?.Count("fileCount")));
        }
    }

    private static void Read(EventReportBuilder report, DatasetName dataset, JsonElement json, string place)
    {
        foreach (var facet in json.Members("facets").Concat(json.Members("inputFacets")).Concat(json.Members("outputFacets")))
        {
            switch (facet.Name)
            {
                case var name when Kept.Contains(name):
                    report.Keep(FacetSubject.Dataset, "", dataset, name, facet.Value);
                    if (name == "lifecycleStateChange")
                    {
                        ReadRename(report, dataset, facet.Value);
                    }

                    break;
                case "symlinks":
                    ReadSymlinks(report, dataset, facet.Value);
                    break;
                case "columnLineage":
                    ColumnLineage.Read(report, dataset, facet.Value);
                    break;
                case "lineage":
                    DeclaredLineage.ReadTarget(report, dataset, facet.Value);
                    break;
                case "dataQualityAssertions":
                    Assertions.Read(report, dataset, facet.Value);
                    break;
                // ReadUses reads these facets.
                case "inputStatistics" or "outputStatistics":
                    break;
                case var name:
                    report.Unread(place, name, UnreadReason.Unknown);
                    break;
            }
        }
    }

    // After a rename, an edge leads from the old to the new name, so that everything downstream of the new name is also
    // downstream of the old one.
    private static void ReadRename(EventReportBuilder report, DatasetName dataset, JsonElement facet)
    {
        if ("RENAME".Equals(facet.Text("lifecycleStateChange"), StringComparison.OrdinalIgnoreCase)
            && facet.Object("previousIdentifier") is { } previous && report.Dataset(previous, "dataset") is { } old
            && old.Key != dataset.Key)
        {
            report.Edge(old, dataset);
        }
    }

    private static void ReadSymlinks(EventReportBuilder report, DatasetName dataset, JsonElement facet)
    {
        foreach (var identifier in facet.Items("identifiers").Take(20))
        {
            if (report.Dataset(identifier, "dataset") is { } other)
            {
                report.Alias(dataset, other);
            }
        }
    }
}
