using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>A column.</summary>
internal sealed record MarquezField
{
    public required string Name { get; init; }
    public required string? Type { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    public required string? Description { get; init; }

    /// <summary>The columns of a schema facet.</summary>
    /// <param name="schema">The facet; null when none is reported.</param>
    /// <param name="tags">The tags by the name of their column; null when the columns have no tags.</param>
    public static List<MarquezField> Of(string? schema, ILookup<string, string>? tags) =>
    [
        .. MarquezFacetJson.Items(schema, "fields").Where(field => MarquezFacetJson.Text(field, "name") is not null)
            .Select(field => new MarquezField
            {
                Name = MarquezFacetJson.Text(field, "name")!,
                Type = MarquezFacetJson.Text(field, "type"),
                Tags = [.. tags?[MarquezFacetJson.Text(field, "name")!] ?? []],
                Description = MarquezFacetJson.Text(field, "description"),
            }),
    ];
}

/// <summary>A column with its sources.</summary>
internal sealed record MarquezColumn(
    string Name, IReadOnlyList<MarquezSource> InputFields, string? TransformationDescription, string? TransformationType);

/// <summary>A source of a column.</summary>
internal sealed record MarquezSource(
    string Namespace, string Dataset, string Field, string? TransformationDescription, string? TransformationType);

/// <summary>A dataset.</summary>
internal sealed record MarquezDataset
{
    public required MarquezId Id { get; init; }

    /// <summary>Always DB_TABLE, because the UI shows no details of a dataset with the type STREAM.</summary>
    public required string Type { get; init; }

    public required string Name { get; init; }
    public required string PhysicalName { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public required string Namespace { get; init; }
    public required string SourceName { get; init; }
    public required IReadOnlyList<MarquezField> Fields { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    public required DateTimeOffset? LastModifiedAt { get; init; }
    public required string? LastLifecycleState { get; init; }
    public required string? Description { get; init; }
    public required Guid? CurrentVersion { get; init; }

    /// <summary>
    /// The columns with their sources. Null when no event reports a source; the UI then shows no link.
    /// </summary>
    public required IReadOnlyList<MarquezColumn>? ColumnLineage { get; init; }

    public required IReadOnlyDictionary<string, RawJson> Facets { get; init; }
    public required bool Deleted { get; init; }

    public static MarquezDataset From(MarquezDatasetDetail detail)
    {
        var (dataset, name, write) = (detail.Dataset, NodeName.Of(detail.Dataset), detail.LastWrite);
        var facets = MarquezFacetJson.All(detail.Facets);
        var tags = MarquezFacetJson.Items(facets.GetValueOrDefault("tags").Text, "tags")
            .Where(tag => MarquezFacetJson.Text(tag, "key") is not null)
            .ToLookup(tag => MarquezFacetJson.Text(tag, "field") ?? "", TagOf, StringComparer.Ordinal);
        var state = MarquezFacetJson.Text(facets, "lifecycleStateChange", "lifecycleStateChange");
        if (detail.Metrics is { } metrics)
        {
            facets["dataQualityMetrics"] = new(metrics);
        }

        if (detail.States.Count > 0)
        {
            facets["dataQualityAssertions"] = new(JsonSerializer.Serialize(new { assertions = detail.States.Select(Assertion) }));
        }

        return new()
        {
            Id = MarquezId.Of(name),
            Type = "DB_TABLE",
            Name = name.Name,
            PhysicalName = name.Name,
            CreatedAt = dataset.CreatedAt,
            UpdatedAt = write?.At ?? dataset.CreatedAt,
            Namespace = name.Namespace,
            SourceName = MarquezFacetJson.Text(facets, "dataSource", "name") ?? name.Namespace,
            Fields = MarquezField.Of(facets.GetValueOrDefault("schema").Text, tags),
            Tags = [.. tags[""]],
            LastModifiedAt = write?.At,
            LastLifecycleState = state,
            Description = MarquezFacetJson.Text(facets, "documentation", "description"),
            CurrentVersion = write is null ? null : MarquezDatasetVersion.Uuid(dataset.Id, write.RunId),
            ColumnLineage = Columns(detail),
            Facets = facets,
            Deleted = "DROP".Equals(state, StringComparison.OrdinalIgnoreCase),
        };
    }

    private static string TagOf(JsonElement tag) =>
        MarquezFacetJson.Text(tag, "value") is { } value and not "true" ? $"{MarquezFacetJson.Text(tag, "key")}:{value}"
            : MarquezFacetJson.Text(tag, "key")!;

    // Every check of the dataset becomes an assertion, also a check whose results do not come from OpenLineage.
    private static object Assertion(CheckOfDataset check)
    {
        using var json = JsonDocument.Parse(check.Metadata ?? "{}");
        return new
        {
            assertion = MarquezFacetJson.Text(json.RootElement, "assertion") ?? check.CheckId,
            column = MarquezFacetJson.Text(json.RootElement, "column"),
            success = check.Status == CheckStatus.Pass,
            severity = check.Severity,
            name = check.CheckId,
        };
    }

    private static List<MarquezColumn>? Columns(MarquezDatasetDetail detail) => detail.Columns.Count == 0 ? null :
    [
        .. detail.Columns.GroupBy(column => column.Edge.DownstreamColumn, StringComparer.Ordinal)
            .OrderBy(column => column.Key, StringComparer.Ordinal)
            .Select(column =>
            {
                var sources = column.Select(source =>
                {
                    var (type, description) = Transformation(source.Edge.Transformation);
                    return new MarquezSource(source.Source.Namespace, source.Source.Name, source.Edge.UpstreamColumn, description, type);
                }).ToList();
                return new MarquezColumn(column.Key, sources, sources[0].TransformationDescription, sources[0].TransformationType);
            }),
    ];

    /// <summary>
    /// The type and the description of the first transformation of an edge between columns; null when not reported.
    /// </summary>
    public static (string? Type, string? Description) Transformation(string transformations)
    {
        if (transformations.Length == 0)
        {
            return (null, null);
        }

        using var json = JsonDocument.Parse(transformations);
        return json.RootElement.ValueKind == JsonValueKind.Array && json.RootElement.GetArrayLength() > 0
            && json.RootElement[0] is var first
                ? (MarquezFacetJson.Text(first, "type"), MarquezFacetJson.Text(first, "description")) : (null, null);
    }
}

/// <summary>A version of a dataset: what one run wrote.</summary>
internal sealed record MarquezDatasetVersion
{
    public required MarquezVersionId Id { get; init; }
    public required string Type { get; init; }
    public required MarquezRun? CreatedByRun { get; init; }
    public required string Name { get; init; }
    public required string PhysicalName { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required Guid Version { get; init; }
    public required Guid? CurrentSchemaVersion { get; init; }
    public required string Namespace { get; init; }
    public required string SourceName { get; init; }
    public required IReadOnlyList<MarquezField> Fields { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    public required DateTimeOffset? LastModifiedAt { get; init; }
    public required string? LifecycleState { get; init; }
    public required string? Description { get; init; }
    public required IReadOnlyDictionary<string, RawJson> Facets { get; init; }

    /// <summary>The id of the version that a run wrote.</summary>
    public static Guid Uuid(Guid dataset, string runId) => MarquezVersionId.Uuid("dataset", dataset.ToString(), runId);

    public static MarquezDatasetVersion From(MarquezDataset dataset, Guid key, DatasetWrite write, MarquezRun? run,
        List<FacetValue> history)
    {
        // The version has the latest schema that was reported by the time of the write.
        var schema = history.Find(value => value.Facet == "schema" && value.FirstAt <= write.At);
        var state = history.Find(value => value.Facet == "lifecycleStateChange" && value.FirstAt <= write.At && value.LastAt >= write.At);
        var version = Uuid(key, write.RunId);
        return new()
        {
            Id = new(dataset.Namespace, dataset.Name, version),
            Type = dataset.Type,
            CreatedByRun = run,
            Name = dataset.Name,
            PhysicalName = dataset.PhysicalName,
            CreatedAt = write.At,
            Version = version,
            CurrentSchemaVersion = schema is null ? null : MarquezVersionId.Uuid("schema", key.ToString(), schema.Value),
            Namespace = dataset.Namespace,
            SourceName = dataset.SourceName,
            Fields = MarquezField.Of(schema?.Value, null),
            Tags = dataset.Tags,
            LastModifiedAt = write.At,
            LifecycleState = state is null ? null : MarquezFacetJson.Text(
                new Dictionary<string, RawJson> { [state.Facet] = new(state.Value) }, state.Facet, state.Facet),
            Description = dataset.Description,
            Facets = schema is null || schema.Value == "null" ? MarquezFacetJson.None
                : new Dictionary<string, RawJson> { ["schema"] = new(schema.Value) },
        };
    }
}
