using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Reads what events say about a dataset.</summary>
public sealed class DatasetFactRepository(CatalogDatabase db)
{
    /// <summary>The maximum number of versions of the schema.</summary>
    public const int MaxSchemas = 10;

    /// <summary>The maximum number of values of the quality metrics, and the maximum number of writes.</summary>
    public const int MaxMeasures = 20;

    /// <summary>The maximum number of other names.</summary>
    public const int MaxAliases = 100;

    /// <summary>Reads the facts about a dataset.</summary>
    public Task<DatasetFacts> Of(string organization, Guid dataset, CancellationToken ct) => db.Read(organization, async session =>
    {
        // The current value of a facet is the first row.
        static string Values(string facet, int take) => $"""
            select * from (
                select facet, value, first_at, last_at
                from facets
                where organization_id = @organization and subject = 'dataset' and subject_id = @subject and facet = '{facet}'
                order by last_at desc, value_hash desc
                limit {take}) as values_of_{facet}
            """;
        var facets = $"""
            -- DatasetFacts.Facets
            {Values("schema", MaxSchemas)}
            union all
            {Values("documentation", 1)}
            union all
            {Values("ownership", 1)}
            union all
            {Values("dataQualityMetrics", MaxMeasures)}
            """;
        const string Aliases = """
            -- DatasetFacts.Aliases
            select namespace, name
            from dataset_aliases
            where organization_id = @organization and dataset = @dataset
            order by alias
            limit @MaxAliases
            """;
        static string Last(string direction) => $"""
            select * from (
                select run_id, last_at as at, row_count, byte_count, file_count
                from run_datasets
                where organization_id = @organization and dataset = @dataset and direction = '{direction}'
                order by last_at desc, run_id desc
                limit @MaxMeasures) as {direction}s
            """;
        var writes = $"""
            -- DatasetFacts.Writes
            {Last("output")}
            union all
            {Last("declared_output")}
            """;

        var values = (await session.Many<FacetValue>(facets, new { organization, subject = dataset.ToString() }, ct))
            .ToLookup(value => value.Facet, StringComparer.Ordinal);
        var aliases = await session.Many<AliasName>(Aliases, new { organization, dataset, MaxAliases }, ct);
        var written = await session.Many<DatasetWrite>(writes, new { organization, dataset, MaxMeasures }, ct);
        return new DatasetFacts
        {
            Schemas = Ordered(values["schema"]),
            Documentation = values["documentation"].FirstOrDefault(),
            Ownership = values["ownership"].FirstOrDefault(),
            Metrics = Ordered(values["dataQualityMetrics"]),
            Aliases = [.. aliases.Select(alias => DatasetId.Format(alias.Namespace, alias.Name)).Order(StringComparer.Ordinal)],
            Writes =
            [
                .. written.OrderByDescending(write => write.At).ThenByDescending(write => write.RunId, StringComparer.Ordinal)
                    .DistinctBy(write => write.RunId, StringComparer.Ordinal).Take(MaxMeasures),
            ],
        };
    }, ct);

    // The branches of a SQL union arrive in any order. Values with equal times keep the order of their branch.
    private static List<FacetValue> Ordered(IEnumerable<FacetValue> values) => [.. values.OrderByDescending(value => value.LastAt)];

    private sealed record AliasName
    {
        public required string Namespace { get; init; }
        public required string Name { get; init; }
    }
}

/// <summary>What events say about a dataset. Lists are newest first.</summary>
public sealed record DatasetFacts
{
    /// <summary>The versions of the dataset's schema.</summary>
    public required IReadOnlyList<FacetValue> Schemas { get; init; }

    public FacetValue? Documentation { get; init; }
    public FacetValue? Ownership { get; init; }

    /// <summary>The values of the dataset's quality metrics.</summary>
    public required IReadOnlyList<FacetValue> Metrics { get; init; }

    /// <summary>The other names of the dataset as shown ids, sorted.</summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>The last runs that wrote the dataset.</summary>
    public required IReadOnlyList<DatasetWrite> Writes { get; init; }
}

/// <summary>A value of a facet and when it was reported.</summary>
public sealed record FacetValue
{
    public required string Facet { get; init; }

    /// <summary>A JSON object, or the word null when the facet was removed.</summary>
    public required string Value { get; init; }

    public required DateTimeOffset FirstAt { get; init; }
    public required DateTimeOffset LastAt { get; init; }
}

/// <summary>A run that wrote a dataset, and how much.</summary>
public sealed record DatasetWrite
{
    public required string RunId { get; init; }

    /// <summary>The time of the latest event that reports the write.</summary>
    public required DateTimeOffset At { get; init; }

    public long? RowCount { get; init; }
    public long? ByteCount { get; init; }
    public long? FileCount { get; init; }
}
