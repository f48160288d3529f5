using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>
/// Reads events of OpenLineage. The kind of an event follows from its content, because producers leave out
/// <c>schemaURL</c> or set it to another kind: with a run it is a RunEvent, with a job a JobEvent, with a dataset a
/// DatasetEvent.
/// </summary>
public static class OpenLineageEvent
{
    /// <summary>Reads an event.</summary>
    /// <param name="json">The event.</param>
    /// <param name="receivedAt">When it was received; the time of an event without one.</param>
    /// <returns>The event; or the errors by JSON pointer when it names neither a run, a job nor a dataset.</returns>
    public static (LoggedEvent? Event, Dictionary<string, string[]>? Errors) Read(JsonElement json, DateTimeOffset receivedAt)
    {
        if (Errors(json) is { } errors)
        {
            return (null, errors);
        }

        var digest = CanonicalJson.Hash(json);
        return (new LoggedEvent
        {
            Dialect = EventDialect.OpenLineage,
            Digest = digest,
            Body = RedactedBody.Of(json),
            ReceivedAt = receivedAt,
            Report = Report(json, receivedAt, digest),
        }, null);
    }

    private static Dictionary<string, string[]>? Errors(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return new() { [""] = ["must be an OpenLineage event: an object."] };
        }

        if (json.Object("run") is { } run)
        {
            return run.Text("runId") is null ? new() { ["/run/runId"] = ["is required: the id of the run as text."] }
                : JobId.RunIdError(run.Text("runId")!) is { } error ? new() { ["/run/runId"] = [error] }
                : json.Object("job") is not { } own ? new() { ["/job"] = ["is required for an event of a run."] }
                : NameError(own, "/job");
        }

        return json.Object("job") is { } job ? NameError(job, "/job")
            : json.Object("dataset") is { } dataset ? NameError(dataset, "/dataset")
            : new() { [""] = ["must have a run and a job, a job, or a dataset, as in OpenLineage 2-0-2."] };
    }

    private static Dictionary<string, string[]>? NameError(JsonElement json, string pointer) =>
        json.Text("name") is null ? new() { [$"{pointer}/name"] = ["is required."] } : null;

    /// <summary>Reads the body of a logged event as a report.</summary>
    /// <param name="json">The event, which has passed <see cref="Read"/>.</param>
    /// <param name="receivedAt">When it was received.</param>
    /// <param name="digest">The digest of the logged event.</param>
    internal static EventReport Report(JsonElement json, DateTimeOffset receivedAt, byte[] digest)
    {
        // A time that lies far ahead would be the latest of its run and job for ever.
        var time = json.Time("eventTime");
        var isUsable = time is not null && time <= receivedAt + MaxAhead;
        var report = new ReportBuilder(isUsable ? time!.Value : receivedAt, receivedAt);
        if (!isUsable)
        {
            report.Unread("event", "eventTime", UnreadReason.Invalid);
        }

        if (json.Object("job") is { } job)
        {
            JobFacets.Read(report, job);
            if (json.Object("run") is { } run)
            {
                RunFacets.Read(report, run, job, json, digest);
            }

            DatasetFacets.ReadUses(report, json);
        }
        else if (json.Object("dataset") is { } dataset)
        {
            DatasetFacets.ReadDataset(report, dataset);
        }

        return report.Build();
    }

    /// <summary>How far the time of an event may lie ahead of its receipt.</summary>
    internal static readonly TimeSpan MaxAhead = TimeSpan.FromHours(24);
}
