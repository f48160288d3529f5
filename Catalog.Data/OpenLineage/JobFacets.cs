using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>Reads the job of an event with its facets.</summary>
internal static class JobFacets
{
    private const int MaxTag = 256;
    private const int MaxTags = 50;

    private static readonly HashSet<string> Kept =
        ["jobType", "sql", "sourceCodeLocation", "sourceCode", "documentation", "ownership", "tags"];

    /// <summary>The job that an object names.</summary>
    public static ReportedJob Job(JsonElement json)
    {
        var (space, name) = (json.Text("namespace") ?? "", json.Text("name")!);
        return new(JobId.Of(space, name), space, name, []);
    }

    public static void Read(EventReportBuilder report, JsonElement json)
    {
        var job = Job(json);
        report.Job = json.Object("facets")?.Object("tags") is { } tags ? job with { Tags = Tags(tags) } : job;
        foreach (var facet in json.Members("facets"))
        {
            if (Kept.Contains(facet.Name))
            {
                report.Keep(FacetSubject.Job, job.PipelineId, null, facet.Name, facet.Value);
            }
            else if (facet.Name == "lineage" && facet.Value.ValueKind == JsonValueKind.Object)
            {
                DeclaredLineage.ReadJob(report, facet.Value);
            }
            else
            {
                report.Unread("job", facet.Name, UnreadReason.Unknown);
            }
        }
    }

    private static List<string> Tags(JsonElement facet) =>
    [
        .. facet.Items("tags").Select(tag => (Key: tag.Text("key"), Value: tag.Text("value"))).Where(tag => tag.Key is not null)
            .Select(tag => tag.Value is null or "true" ? tag.Key! : $"{tag.Key}:{tag.Value}")
            .Where(tag => tag.Length <= MaxTag).Distinct(StringComparer.Ordinal).Take(MaxTags),
    ];
}
