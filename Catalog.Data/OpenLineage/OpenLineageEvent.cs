using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>
/// Reads events of OpenLineage. An event with a run is a RunEvent, otherwise an event with a job is a JobEvent, and
/// otherwise an event with a dataset is a DatasetEvent. <c>schemaURL</c> is not used, because some producers leave it
/// out or name another kind in it.
/// </summary>
public static class OpenLineageEvent
{
    /// <summary>Reads an event.</summary>
    /// <param name="json">The event.</param>
    /// <param name="receivedAt">When it was received. It is also the time of an event without a usable time.</param>
    /// <returns>The event; or the errors by JSON pointer when the event is not valid.</returns>
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
    /// <param name="json">The event, which <see cref="Read"/> has accepted.</param>
    /// <param name="receivedAt">When it was received.</param>
    /// <param name="digest">The digest of the logged event.</param>
    internal static EventReport Report(JsonElement json, DateTimeOffset receivedAt, byte[] digest)
    {
        // An event with a time far in the future would stay the latest event of its run and job for ever.
        var time = json.Time("eventTime");
        var isUsable = time is not null && time <= receivedAt + MaxAhead;
        var report = new EventReportBuilder(isUsable ? time!.Value : receivedAt, receivedAt);
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

    /// <summary>How much later than its receipt the time of an event can be. A later time is not used.</summary>
    internal static readonly TimeSpan MaxAhead = TimeSpan.FromHours(24);
}
