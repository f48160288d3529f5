using System.Text.Json;
using System.Text.Json.Serialization;

namespace Catalog.Api.Otlp;

/// <summary>An ExportTraceServiceRequest of OTLP in JSON. A request in protobuf contains the same message.</summary>
public sealed record OtlpTracesBody
{
    /// <summary>The spans by resource and scope. Spans of dbt are read; other spans are only counted.</summary>
    [JsonPropertyName("resourceSpans")]
    public required IReadOnlyList<JsonElement> ResourceSpans { get; init; }
}

/// <summary>An ExportTraceServiceResponse of OTLP.</summary>
public sealed record OtlpTracesResult
{
    /// <summary>The rejected spans; absent when all are accepted.</summary>
    [JsonPropertyName("partialSuccess")]
    public OtlpPartialSuccess? PartialSuccess { get; init; }
}

/// <summary>The rejected spans.</summary>
public sealed record OtlpPartialSuccess
{
    /// <summary>The number of rejected spans, as text.</summary>
    [JsonPropertyName("rejectedSpans")]
    public required string RejectedSpans { get; init; }

    /// <summary>Why the spans are rejected.</summary>
    [JsonPropertyName("errorMessage")]
    public required string ErrorMessage { get; init; }
}
