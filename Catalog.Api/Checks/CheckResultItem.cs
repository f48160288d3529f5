using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Checks;

namespace Catalog.Api.Checks;

/// <summary>A stored check result.</summary>
public sealed record CheckResultItem
{
    public required string Id { get; init; }

    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }
    public string? RunId { get; init; }

    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    public string? Dataset { get; init; }
    public RawJson? ObservedValue { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }

    public RawJson? Expected { get; init; }
    public long? FailedRows { get; init; }
    public long? TotalRows { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
    public double? DurationSeconds { get; init; }
    public RawJson? Metadata { get; init; }

    /// <summary>When the result was received.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    internal static CheckResultItem From(CheckResult result) => new()
    {
        Id = result.Id,
        PipelineId = result.PipelineId,
        CheckId = result.CheckId,
        RunId = result.RunId,
        Status = result.Status,
        Severity = result.Severity,
        Dataset = result.Dataset,
        ObservedValue = RawJson.From(result.ObservedValue),
        ObservedNumber = result.ObservedNumber,
        Expected = RawJson.From(result.Expected),
        FailedRows = result.FailedRows,
        TotalRows = result.TotalRows,
        Message = result.Message,
        ExecutedAt = result.ExecutedAt,
        DurationSeconds = result.DurationSeconds,
        Metadata = RawJson.From(result.Metadata),
        CreatedAt = result.CreatedAt,
    };

    /// <summary>
    /// Writes a result exactly as the serializer writes <see cref="From"/>, but without creating an object. Clients
    /// read lists of results more often than anything else.
    /// </summary>
    internal static void Write(Utf8JsonWriter writer, CheckResult result)
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

    internal static void Text(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
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
