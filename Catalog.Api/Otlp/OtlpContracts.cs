using System.Text.Json;
using System.Text.Json.Serialization;

namespace Catalog.Api.Otlp;

/// <summary>An ExportTraceServiceRequest of OTLP in JSON; in protobuf it is the same message.</summary>
public sealed record OtlpTracesBody
{
    /// <summary>The spans by resource and scope. Spans of dbt are read, others are counted.</summary>
    [JsonPropertyName("resourceSpans")]
    public required IReadOnlyList<JsonElement> ResourceSpans { get; init; }
}

/// <summary>An ExportTraceServiceResponse of OTLP.</summary>
public sealed record OtlpTracesResult
{
    /// <summary>The spans that are refused; absent when all are accepted.</summary>
    [JsonPropertyName("partialSuccess")]
    public OtlpPartialSuccess? PartialSuccess { get; init; }
}

/// <summary>The spans that are refused.</summary>
public sealed record OtlpPartialSuccess
{
    /// <summary>Their number, as text.</summary>
    [JsonPropertyName("rejectedSpans")]
    public required string RejectedSpans { get; init; }

    /// <summary>Why they are refused.</summary>
    [JsonPropertyName("errorMessage")]
    public required string ErrorMessage { get; init; }
}
