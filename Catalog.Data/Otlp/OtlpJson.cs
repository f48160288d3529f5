using System.Globalization;
using System.Text.Json;

namespace Catalog.Data.Otlp;

/// <summary>Reads the JSON encoding of an ExportTraceServiceRequest.</summary>
public static class OtlpJson
{
    /// <summary>Reads the spans; null when the document is not a valid request.</summary>
    public static OtlpSpans? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object
            || (json.TryGetProperty("resourceSpans", out var resources)
                && resources.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null)))
        {
            return null;
        }

        var spans = new OtlpSpanList();
        foreach (var resource in json.Items("resourceSpans"))
        {
            var project = Attributes(resource.Object("resource")).Project;
            foreach (var scope in resource.Items("scopeSpans"))
            {
                var name = scope.Object("scope")?.Text("name") ?? "";
                foreach (var span in scope.Items("spans"))
                {
                    Add(spans, span, project, name);
                }
            }
        }

        return spans.ToSpans();
    }

    private static void Add(OtlpSpanList spans, JsonElement span, string project, string scope) => spans.Add(
        Id(span, "traceId"), Id(span, "spanId"), Id(span, "parentSpanId"),
        new OtlpSpan
        {
            TraceId = "",
            SpanId = "",
            IsRoot = false,
            Name = span.Text("name") ?? "",
            Scope = scope,
            Project = project,
            Start = Whole(span, "startTimeUnixNano"),
            End = Whole(span, "endTimeUnixNano"),
            IsError = span.Object("status") is { } status
                && (Whole(status, "code") == 2 || status.Text("code") == "STATUS_CODE_ERROR"),
            StatusMessage = span.Object("status")?.Text("message") ?? "",
            Attributes = Attributes(span).Values,
        });

    private static byte[] Id(JsonElement span, string name)
    {
        var text = span.Text(name) ?? "";
        return text.Length is 16 or 32 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : text.Length == 0 ? [] : [0];
    }

    // Protobuf writes 64-bit numbers as text in JSON, but some clients send numbers.
    private static ulong Whole(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.Number ? value.TryGetUInt64(out var number)
            : ulong.TryParse(json.Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out number))
            ? number : 0;

    private static OtlpAttributes Attributes(JsonElement? json)
    {
        var attributes = new OtlpAttributes();
        if (json is { } owner)
        {
            Add(attributes, owner.Items("attributes"));
        }

        return attributes;
    }

    private static void Add(OtlpAttributes attributes, IEnumerable<JsonElement> pairs)
    {
        foreach (var pair in pairs)
        {
            if (pair.Text("key") is not { } key || pair.Object("value") is not { } value)
            {
                continue;
            }

            if (value.Object("kvlistValue") is { } list)
            {
                Add(attributes, list.Items("values"));
            }
            else if (value.Text("stringValue") is { } text)
            {
                attributes.Add(key, text);
            }
            else if (value.TryGetProperty("intValue", out var number))
            {
                attributes.Add(key, number.ValueKind == JsonValueKind.String ? number.GetString()! : number.GetRawText());
            }
        }
    }
}
