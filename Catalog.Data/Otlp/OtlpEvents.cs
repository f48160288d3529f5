using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.Otlp;

/// <summary>
/// Turns the spans of a request into events: one event for each invocation of dbt, and one event that counts all other
/// spans. The JSON and the protobuf of the same spans give the same events.
/// </summary>
public static class OtlpEvents
{
    private const int MaxScopes = 50;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads the events.</summary>
    /// <param name="spans">The spans.</param>
    /// <param name="project">The dbt project that the request names; null when it names none.</param>
    /// <param name="receivedAt">When the spans were received.</param>
    public static IReadOnlyList<LoggedEvent> Of(IReadOnlyList<OtlpSpan> spans, string? project, DateTimeOffset receivedAt)
    {
        List<LoggedEvent> events = [];
        List<OtlpSpan> others = [];
        foreach (var trace in spans.DistinctBy(span => (span.TraceId, span.SpanId)).GroupBy(span => span.TraceId, StringComparer.Ordinal))
        {
            var own = trace.Where(FusionSpan.IsOfDbt).OrderBy(span => span.SpanId, StringComparer.Ordinal).ToList();
            if (own.Count > 0)
            {
                var named = project ?? own.Select(span => span.Project).FirstOrDefault(name => name.Length > 0) ?? "dbt-fusion";
                events.Add(Logged(TraceBody(trace.Key, named, own), receivedAt));
            }

            others.AddRange(trace.Where(span => !FusionSpan.IsOfDbt(span)));
        }

        if (others.Count > 0)
        {
            events.Add(Logged(OtherBody(others), receivedAt));
        }

        return events;
    }

    /// <summary>Reads the body of a logged event as a report.</summary>
    /// <param name="json">The body.</param>
    /// <param name="receivedAt">When it was received.</param>
    /// <param name="digest">The digest of the logged event.</param>
    internal static EventReport Report(JsonElement json, DateTimeOffset receivedAt, byte[] digest)
    {
        if (json.Text("trace_id") is not null)
        {
            return FusionTrace.Read(json, receivedAt, digest);
        }

        var report = new EventReportBuilder(receivedAt, receivedAt);
        foreach (var scope in json.Items("scopes"))
        {
            report.Unread("event", scope.GetString()!, UnreadReason.Unknown);
        }

        return report.Build();
    }

    private static LoggedEvent Logged(string body, DateTimeOffset receivedAt)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(body));
        using var json = JsonDocument.Parse(body);
        return new LoggedEvent
        {
            Dialect = EventDialect.Otlp,
            Digest = digest,
            Body = body,
            ReceivedAt = receivedAt,
            Report = Report(json.RootElement, receivedAt, digest),
        };
    }

    private static string TraceBody(string traceId, string project, List<OtlpSpan> spans) => Body(writer =>
    {
        writer.WriteString("trace_id", traceId);
        writer.WriteString("project", project);
        writer.WriteStartArray("spans");
        foreach (var span in spans)
        {
            writer.WriteStartObject();
            writer.WriteString("span_id", span.SpanId);
            writer.WriteString("name", span.Name);
            writer.WriteNumber("start", span.Start);
            writer.WriteNumber("end", span.End);
            writer.WriteBoolean("is_error", span.IsError);
            writer.WriteString("message", span.StatusMessage);
            writer.WriteStartObject("attributes");
            foreach (var (name, value) in span.Attributes)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    // For spans of other programs the event contains their number, their scopes, and a hash of their ids. Because of
    // the hash, different requests give different events, and a repeated request gives the same event.
    private static string OtherBody(List<OtlpSpan> spans)
    {
        var ids = string.Join('\n', spans.Select(span => $"{span.TraceId} {span.SpanId}").Order(StringComparer.Ordinal));
        return Body(writer =>
        {
            writer.WriteString("ids_sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ids))));
            writer.WriteNumber("spans", spans.Count);
            writer.WriteStartArray("scopes");
            foreach (var scope in spans.Select(span => span.Scope.Length == 0 ? "span" : span.Scope).Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal).Take(MaxScopes))
            {
                writer.WriteStringValue(scope);
            }

            writer.WriteEndArray();
        });
    }

    private static string Body(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
