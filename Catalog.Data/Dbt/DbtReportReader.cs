using System.Text.Json;
using Catalog.Data.Events;
using Catalog.Data.OpenLineage;

namespace Catalog.Data.Dbt;

/// <summary>Reads the kept members of the artifacts of one upload as a report.</summary>
internal static class DbtReportReader
{
    /// <summary>Parts of the manifest that are not read.</summary>
    public static readonly string[] UnreadParts = ["metrics", "semantic_models", "saved_queries", "functions"];

    private const int KnownManifest = 12;
    private const int KnownRunResults = 6;

    // Commands whose results say nothing about the data, because dbt writes success even for tests that did not run.
    private static readonly HashSet<string> WithoutExecution =
        new(StringComparer.OrdinalIgnoreCase) { "generate", "docs", "compile", "parse", "list", "ls", "show" };

    /// <summary>Reads a report.</summary>
    /// <param name="json">The body of the logged event.</param>
    /// <param name="receivedAt">When the event was received.</param>
    /// <param name="digest">The digest of the logged event.</param>
    public static EventReport Read(JsonElement json, DateTimeOffset receivedAt, byte[] digest)
    {
        var manifest = json.GetProperty("manifest").GetProperty("artifact");
        var results = json.GetProperty("run_results");
        var time = results.Object("metadata")?.Time("generated_at");
        var isUsable = time is not null && time <= receivedAt + OpenLineageEvent.MaxAhead;
        var report = new EventReportBuilder(isUsable ? time!.Value : receivedAt, receivedAt)
        {
            MaxDatasets = 20_000,
            MaxResults = DbtRun.MaxStages,
            ResultPart = ("run", "results"),
        };
        if (!isUsable)
        {
            report.Unread("event", "generated_at", UnreadReason.Invalid);
        }

        CountUnread(report, json, manifest, results);
        var graph = new DbtGraph(report, manifest, json.Text("namespace"));
        var project = DbtProject.NameOf(manifest, graph);
        report.Job = new(JobId.Of("dbt", project), "dbt", project, []);
        DbtDatasets.Read(report, graph, json.Object("catalog"));
        report.Define(DbtCheckDefinitions.Of(report, graph));
        if (!WithoutExecution.Contains(results.Object("args")?.Text("which") ?? ""))
        {
            DbtRun.Read(report, graph, results, digest);
        }

        ReadEdges(report, graph);
        if (json.Object("sources") is { } sources)
        {
            DbtFreshness.Read(report, graph, sources);
        }

        return report.Build();
    }

    private static void CountUnread(EventReportBuilder report, JsonElement json, JsonElement manifest, JsonElement results)
    {
        foreach (var part in json.GetProperty("manifest").Items("unread"))
        {
            report.Unread("event", part.GetString()!, UnreadReason.Unknown);
        }

        // New versions of dbt only add members, so the known members of a later version are read.
        if (DbtArtifacts.Version(manifest, "manifest") is > KnownManifest and var version)
        {
            report.Unread("event", $"manifest v{version}", UnreadReason.Unknown);
        }

        if (DbtArtifacts.Version(results, "run-results") is > KnownRunResults and var later)
        {
            report.Unread("event", $"run-results v{later}", UnreadReason.Unknown);
        }
    }

    private static void ReadEdges(EventReportBuilder report, DbtGraph graph)
    {
        foreach (var node in graph.Nodes.Where(node => node.Dataset is not null))
        {
            foreach (var parent in graph.Parents(node))
            {
                if (!report.Edge(parent, node.Dataset!))
                {
                    return;
                }
            }
        }
    }
}
