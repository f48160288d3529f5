using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;

namespace Catalog.Api.Checks;

/// <summary>
/// A page of results, written by hand from the rows into the answer's own buffer: the list that is read most. It is byte for byte what
/// <see cref="ItemList{T}"/> of <see cref="CheckResultItem"/> would be.
/// </summary>
internal sealed class CheckResultPage(Page<CheckResult> page, string? nextCursor) : IResult
{
    internal static readonly JsonWriterOptions Options = new() { Encoder = ApiJson.Options.Encoder, MaxDepth = ApiJson.MaxDepth, SkipValidation = true };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        using (var writer = new Utf8JsonWriter(response.BodyWriter, Options))
        {
            Write(writer);
        }

        await response.BodyWriter.FlushAsync(httpContext.RequestAborted);
    }

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("items"u8);
        foreach (var result in page.Items)
        {
            Write(writer, result);
        }

        writer.WriteEndArray();
        Text(writer, "next_cursor"u8, nextCursor);
        writer.WriteEndObject();
        writer.Flush();
    }

    private static void Write(Utf8JsonWriter writer, CheckResult result)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, result.Id);
        writer.WriteString("pipeline_id"u8, result.PipelineId);
        writer.WriteString("check_id"u8, result.CheckId);
        Text(writer, "run_id"u8, result.RunId);
        writer.WriteString("status"u8, result.Status);
        writer.WriteString("severity"u8, result.Severity);
        Text(writer, "dataset"u8, result.Dataset);
        Json(writer, "observed_value"u8, result.ObservedValue);
        Number(writer, "observed_number"u8, result.ObservedNumber);
        Json(writer, "expected"u8, result.Expected);
        Count(writer, "failed_rows"u8, result.FailedRows);
        Count(writer, "total_rows"u8, result.TotalRows);
        Text(writer, "message"u8, result.Message);
        Time(writer, "executed_at"u8, result.ExecutedAt);
        Number(writer, "duration_seconds"u8, result.DurationSeconds);
        Json(writer, "metadata"u8, result.Metadata);
        Time(writer, "created_at"u8, result.CreatedAt);
        writer.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (text is null)
        {
            writer.WriteNull(name);
        }
        else
        {
            writer.WriteString(name, text);
        }
    }

    private static void Json(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? json)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(json ?? "null", skipInputValidation: true);
    }

    private static void Number(Utf8JsonWriter writer, ReadOnlySpan<byte> name, double? number)
    {
        if (number is { } value)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void Count(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long? count)
    {
        if (count is { } value)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void Time(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset time)
    {
        writer.WritePropertyName(name);
        ApiJson.Write(writer, time);
    }
}
