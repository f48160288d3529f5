using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Lineage;

namespace Catalog.Api.Lineage;

/// <summary>A version of a dataset's schema.</summary>
public sealed record SchemaVersion
{
    /// <summary>
    /// The columns as reported: an array of objects with <c>name</c>, <c>type</c>, <c>description</c> and nested
    /// <c>fields</c>; null when the schema was removed.
    /// </summary>
    public RawJson? Fields { get; init; }

    /// <summary>The time of the earliest event that reports this version.</summary>
    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The time of the latest event that reports this version.</summary>
    public required DateTimeOffset LastSeen { get; init; }

    internal static SchemaVersion From(FacetValue value) =>
        new() { Fields = FacetJson.Array(value, "fields"), FirstSeen = value.FirstAt, LastSeen = value.LastAt };
}

/// <summary>Quality metrics of a dataset.</summary>
public sealed record QualityMetrics
{
    /// <summary>
    /// The metrics as reported, such as <c>rowCount</c>, <c>bytes</c> and <c>columnMetrics</c>; null when the metrics
    /// were removed.
    /// </summary>
    public RawJson? Metrics { get; init; }

    /// <summary>The time of the earliest event that reports these values.</summary>
    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The time of the latest event that reports these values.</summary>
    public required DateTimeOffset LastSeen { get; init; }

    internal static QualityMetrics From(FacetValue value) =>
        new() { Metrics = value.Value == "null" ? null : new(value.Value), FirstSeen = value.FirstAt, LastSeen = value.LastAt };
}

/// <summary>A run that wrote a dataset.</summary>
public sealed record DatasetWriteItem
{
    public required string RunId { get; init; }

    /// <summary>The time of the latest event that reports the write.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The number of rows written; null when it was not reported.</summary>
    public long? RowCount { get; init; }

    /// <summary>The size of the written data in bytes; null when it was not reported.</summary>
    public long? ByteCount { get; init; }

    /// <summary>The number of files written; null when it was not reported.</summary>
    public long? FileCount { get; init; }

    internal static DatasetWriteItem From(DatasetWrite write) => new()
    {
        RunId = write.RunId,
        At = write.At,
        RowCount = write.RowCount,
        ByteCount = write.ByteCount,
        FileCount = write.FileCount,
    };
}

/// <summary>Reads members of facets. A facet can be JSON of any shape.</summary>
internal static class FacetJson
{
    /// <summary>An array member as JSON; null when the facet has none.</summary>
    public static RawJson? Array(FacetValue? facet, string name)
    {
        using var json = Parse(facet);
        return Member(json, name, JsonValueKind.Array) is { } array ? new RawJson(array.GetRawText()) : null;
    }

    /// <summary>A text member; null when the facet has none.</summary>
    public static string? Text(FacetValue? facet, string name)
    {
        using var json = Parse(facet);
        return Member(json, name, JsonValueKind.String)?.GetString();
    }

    /// <summary>The names in the <c>owners</c> of an ownership facet.</summary>
    public static List<string> Owners(FacetValue? facet)
    {
        using var json = Parse(facet);
        return Member(json, "owners", JsonValueKind.Array) is not { } owners ? [] : [.. owners.EnumerateArray()
            .Where(owner => owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty("name", out var name)
                && name.ValueKind == JsonValueKind.String)
            .Select(owner => owner.GetProperty("name").GetString()!).Where(name => name.Length > 0)];
    }

    private static JsonDocument Parse(FacetValue? facet) => JsonDocument.Parse(facet?.Value ?? "null");

    private static JsonElement? Member(JsonDocument json, string name, JsonValueKind kind) =>
        json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var member)
        && member.ValueKind == kind
            ? member : null;
}
