using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Catalog.Data.Runs;

/// <summary>
/// Writes and reads the report of an event as JSON, in the form of a run event of the API. Reports are read when the
/// events of a run are folded again.
/// </summary>
internal static class RunEventJson
{
    private static readonly (string Name, ClearableFields Field)[] OfRuns =
    [
        ("records_processed", ClearableFields.RecordsProcessed), ("error_message", ClearableFields.ErrorMessage),
        ("trigger", ClearableFields.Trigger), ("external_url", ClearableFields.ExternalUrl), ("metadata", ClearableFields.Metadata),
    ];

    // A body can be nested 64 deep. A report about a stage is stored inside a list, so it is nested deeper.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 128 };

    /// <summary>Writes a report that <see cref="Read"/> reads.</summary>
    public static string Write(RunEvent @event)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            Write(writer, @event);
            Write(writer, "trigger", @event.Trigger);
            Write(writer, "external_url", @event.ExternalUrl);
            if (@event.Metadata is { } metadata)
            {
                writer.WritePropertyName("metadata");
                writer.WriteRawValue(metadata, skipInputValidation: true);
            }

            if (@event.CheckGate is { } gate)
            {
                writer.WriteBoolean("check_gate", gate);
            }

            if (@event.Attempt is { } attempt)
            {
                writer.WriteNumber("attempt", attempt);
            }

            writer.WriteStartArray("stages");
            foreach (var stage in @event.Stages)
            {
                writer.WriteStartObject();
                writer.WriteString("stage_name", stage.StageName);
                Write(writer, stage);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>
    /// Reads a report. A field that is missing or cannot be read is null. If the JSON is invalid, all fields are null.
    /// </summary>
    /// <param name="runId">The run's id.</param>
    /// <param name="digest">The digest of the event.</param>
    /// <param name="json">The stored JSON.</param>
    public static RunEvent Read(string runId, byte[] digest, string json)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(json, Deep);
        }
        catch (JsonException)
        {
            // An exception here would prevent the storage of all further events of the run.
            root = default;
        }

        return new()
        {
            RunId = runId,
            Digest = digest,
            Body = "",
            Status = Status(root),
            StartedAt = Time(root, "started_at"),
            CompletedAt = Time(root, "completed_at"),
            RecordsProcessed = Number(root, "records_processed"),
            ErrorMessage = Text(root, "error_message"),
            Trigger = Text(root, "trigger"),
            ExternalUrl = Text(root, "external_url"),
            Metadata = Member(root, "metadata") is { ValueKind: not JsonValueKind.Null } metadata ? metadata.GetRawText() : null,
            CheckGate = Member(root, "check_gate")?.ValueKind switch
            {
                JsonValueKind.False => false,
                JsonValueKind.True => true,
                _ => null,
            },
            Attempt = Number(root, "attempt") is { } attempt and >= 1 and <= RunEvent.MaxAttempt ? (int)attempt : null,
            Clears = Clears(root),
            Stages = Member(root, "stages") is { ValueKind: JsonValueKind.Array } stages
                ? [.. stages.EnumerateArray().Where(stage => Text(stage, "stage_name") is not null).Select(Stage)] : [],
        };
    }

    private static StageReport Stage(JsonElement stage) => new()
    {
        StageName = Text(stage, "stage_name")!,
        Status = Status(stage),
        StartedAt = Time(stage, "started_at"),
        CompletedAt = Time(stage, "completed_at"),
        RecordsProcessed = Number(stage, "records_processed"),
        ErrorMessage = Text(stage, "error_message"),
        Clears = Clears(stage),
    };

    private static void Write(Utf8JsonWriter writer, Report report)
    {
        Write(writer, "status", report.Status);
        Write(writer, "started_at", report.StartedAt);
        Write(writer, "completed_at", report.CompletedAt);
        if (report.RecordsProcessed is { } records)
        {
            writer.WriteNumber("records_processed", records);
        }

        Write(writer, "error_message", report.ErrorMessage);
        foreach (var (name, field) in OfRuns.Where(cleared => report.Clears.HasFlag(cleared.Field) && !HasValue(report, cleared.Field)))
        {
            writer.WriteNull(name);
        }
    }

    private static bool HasValue(Report report, ClearableFields field) => field switch
    {
        ClearableFields.RecordsProcessed => report.RecordsProcessed is not null,
        ClearableFields.ErrorMessage => report.ErrorMessage is not null,
        ClearableFields.Trigger => report is RunEvent { Trigger: not null },
        ClearableFields.ExternalUrl => report is RunEvent { ExternalUrl: not null },
        _ => report is RunEvent { Metadata: not null },
    };

    private static void Write(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    private static void Write(Utf8JsonWriter writer, string name, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            writer.WriteString(name, time);
        }
    }

    private static JsonElement? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static string? Status(JsonElement json) =>
        Text(json, "status") is { } word && RunStatus.Words.TryGetValue(word, out var status) ? status : null;

    private static DateTimeOffset? Time(JsonElement json, string name) =>
        Text(json, name) is { } text && Rfc3339.TryParse(text, out var time) ? time : null;

    // The API also accepts whole numbers such as 3.0 and 3e0.
    private static long? Number(JsonElement json, string name) => Member(json, name) is not { ValueKind: JsonValueKind.Number } value ? null
        : value.TryGetInt64(out var whole) ? whole
        : value.TryGetDecimal(out var other) && other == decimal.Truncate(other) && Math.Abs(other) <= long.MaxValue ? (long)other
        : null;

    private static ClearableFields Clears(JsonElement json) => OfRuns
        .Where(field => Member(json, field.Name) is { ValueKind: JsonValueKind.Null })
        .Aggregate(ClearableFields.None, (fields, field) => fields | field.Field);
}
