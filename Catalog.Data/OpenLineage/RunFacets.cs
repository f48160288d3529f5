using System.Text;
using System.Text.Json;
using Catalog.Data.Events;
using Catalog.Data.Runs;

namespace Catalog.Data.OpenLineage;

/// <summary>
/// Reads the run of an event with its facets: its state, its parent, and its stage in the parent's run.
/// </summary>
internal static class RunFacets
{
    private const int MaxMessage = 65_536;

    private static readonly HashSet<string> Kept =
    [
        "nominalTime", "errorMessage", "processing_engine", "externalQuery", "extractionError", "jobDependencies", "executionParameters",
        "tags",
    ];

    public static void Read(EventReportBuilder report, JsonElement run, JsonElement job, JsonElement @event, byte[] digest)
    {
        var id = run.Text("runId")!;
        report.RunId = id;
        var facets = run.Object("facets");
        var parent = facets?.Object("parent");
        ReadState(report, id, @event, facets, digest);
        ReadParent(report, id, job, parent, digest);
        foreach (var facet in run.Members("facets"))
        {
            if (Kept.Contains(facet.Name))
            {
                report.Keep(FacetSubject.Run, id, null, facet.Name, facet.Value);
            }
            else if (facet.Name == "environmentVariables")
            {
                report.Keep(FacetSubject.Run, id, null, facet.Name, NamesOfVariables(facet.Value));
            }
            else if (facet.Name == "test")
            {
                Assertions.ReadTests(report, facet.Value);
            }
            else if (facet.Name != "parent" || parent is null)
            {
                report.Unread("run", facet.Name, facet.Name == "parent" ? UnreadReason.Invalid : UnreadReason.Unknown);
            }
        }
    }

    // With any other event type, or without one, the run is running. Other receivers of OpenLineage do the same.
    private static string StatusOf(string? eventType) => eventType?.ToUpperInvariant() switch
    {
        "COMPLETE" => RunStatus.Completed,
        "FAIL" => RunStatus.Failed,
        "ABORT" => RunStatus.Cancelled,
        _ => RunStatus.Running,
    };

    private static void ReadState(EventReportBuilder report, string id, JsonElement @event, JsonElement? facets, byte[] digest)
    {
        var status = StatusOf(@event.Text("eventType"));
        report.RunEvents.Add(RunEventFactory.Of(id, report.PipelineId, digest, new()
        {
            Status = status,
            // The first event is the start of a run, because a producer may leave out START or send OTHER before START.
            StartedAt = status == RunStatus.Running ? report.At : null,
            CompletedAt = status == RunStatus.Running ? null : report.At,
            RecordsProcessed = Written(@event),
            ErrorMessage = facets?.Object("errorMessage")?.Text("message", MaxMessage),
        }));
    }

    private static long? Written(JsonElement @event)
    {
        var counts = @event.Items("outputs").Select(output => output.Object("outputFacets")?.Object("outputStatistics")?.Count("rowCount"))
            .OfType<long>().ToList();
        return counts.Count == 0 ? null : counts.Aggregate(0L, (sum, rows) => rows > long.MaxValue - sum ? long.MaxValue : sum + rows);
    }

    private static void ReadParent(EventReportBuilder report, string id, JsonElement job, JsonElement? parent, byte[] digest)
    {
        var own = report.RunEvents[0];
        var parentId = parent?.Object("run")?.Text("runId", JobId.MaxLength);
        if (parentId is not null && !JobId.IsUsable(parentId))
        {
            report.Unread("run", "parent", UnreadReason.Invalid);
            parentId = null;
        }

        var parentJob = parent?.Object("job") is { } named && named.Text("name") is not null ? JobFacets.Job(named) : null;
        var root = parent?.Object("root")?.Object("run")?.Text("runId", JobId.MaxLength);
        if (parentId == id)
        {
            (parentId, parentJob) = (null, null);
        }

        report.Runs.Add(new(id, report.PipelineId, own.Status == RunStatus.Completed, parentId, parentJob?.PipelineId, root ?? parentId));
        if (parentId is null || parentJob is null || parentJob.PipelineId == report.PipelineId)
        {
            return;
        }

        // A scheduler names a task PIPELINE.TASK. The task is a stage of the parent's run.
        var name = job.Text("name")!;
        if (name.StartsWith(parentJob.Name + '.', StringComparison.Ordinal) && name.Length > parentJob.Name.Length + 1)
        {
            report.OtherJobs.Add(parentJob);
            report.RunEvents.Add(RunEventFactory.Of(parentId, parentJob.PipelineId, digest, new()
            {
                Status = RunStatus.Pending,
                Stages =
                [
                    new StageReport
                    {
                        StageName = JobId.Shorten(name[(parentJob.Name.Length + 1)..]),
                        Status = own.Status,
                        StartedAt = own.StartedAt,
                        CompletedAt = own.CompletedAt,
                        RecordsProcessed = own.RecordsProcessed,
                        ErrorMessage = own.ErrorMessage,
                    },
                ],
            }));
        }
    }

    private static string NamesOfVariables(JsonElement facet)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("names");
            foreach (var name in facet.Items("environmentVariables").Select(variable => variable.Text("name")).OfType<string>()
                .Order(StringComparer.Ordinal))
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
