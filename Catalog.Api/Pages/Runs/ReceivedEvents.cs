using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Runs;

namespace Catalog.Api.Pages.Runs;

/// <summary>An event of a run as the page shows it.</summary>
/// <param name="Id">The digest of the event.</param>
/// <param name="ReceivedAt">When the event was received.</param>
/// <param name="Status">The status that the event reports; null when it reports none.</param>
/// <param name="Time">
/// The end that the event reports, or else the start that it reports; null when it reports neither.
/// </param>
/// <param name="Body">The JSON as received.</param>
/// <param name="IsLate">Whether an event with a later time was received before this event.</param>
/// <param name="IsRepeat">Whether an earlier received event has the same status, time and reports on stages.</param>
public sealed record ReceivedEventView(
    string Id, DateTimeOffset ReceivedAt, string? Status, DateTimeOffset? Time, string Body, bool IsLate, bool IsRepeat);

/// <summary>Marks the events that arrived late or that repeat an earlier event.</summary>
internal static class ReceivedEvents
{
    /// <param name="events">The events, latest received first.</param>
    public static IReadOnlyList<ReceivedEventView> Of(IReadOnlyList<ReceivedEvent> events)
    {
        var views = new List<ReceivedEventView>(events.Count);
        DateTimeOffset? latest = null;
        var seen = new HashSet<(string?, DateTimeOffset?, string?)>();
        foreach (var received in events.Reverse())
        {
            var (status, time, stages) = Read(received.Body);
            views.Add(new(received.Id, received.ReceivedAt, status, time, received.Body, time < latest, !seen.Add((status, time, stages))));
            latest = time > latest || latest is null ? time ?? latest : latest;
        }

        views.Reverse();
        return views;
    }

    // Every body is valid JSON, because it was validated when it was received.
    private static (string? Status, DateTimeOffset? Time, string? Stages) Read(string body)
    {
        using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = ApiJson.MaxDepth + 1 });
        var root = json.RootElement;
        string? Text(string name) => root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        DateTimeOffset? Time(string name) => Text(name) is { } text && Instant.TryParse(text, out var time) ? time : null;
        return (Text("status"), Time("completed_at") ?? Time("started_at"),
            root.ValueKind == JsonValueKind.Object && root.TryGetProperty("stages", out var stages) ? stages.GetRawText() : null);
    }
}
