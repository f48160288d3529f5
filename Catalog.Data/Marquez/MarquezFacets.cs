using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Marquez;

/// <summary>Reads the current facets of several jobs, runs or datasets.</summary>
internal static class MarquezFacets
{
    /// <summary>
    /// The current value of each facet, by subject. Facets that were removed are left out. The quality metrics of
    /// datasets are left out too, because each run adds a value; <see cref="Metrics"/> reads them.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="dialect">The engine's SQL.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="subject">A word of <see cref="Events.FacetSubject"/>.</param>
    /// <param name="ids">The ids of the subjects.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<ILookup<string, CurrentFacet>> Current(
        Session session, Dialect dialect, string organization, string subject, IEnumerable<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.Facets
            select subject_id, facet, value
            from (
                select facets.subject_id, facets.facet, facets.value,
                       row_number() over (
                           partition by facets.subject_id, facets.facet
                           order by facets.last_at desc, facets.value_hash desc) as place
                from {dialect.ByIndex("facets",
                    $"organization_id = @organization and subject = '{subject}' and facet <> 'dataQualityMetrics'",
                    "subject_id", "@ids")}) as ranked
            where place = 1 and value <> 'null'
            """;

        List<CurrentFacet> facets = [];
        foreach (var chunk in ids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Chunk(dialect.ListLimit))
        {
            facets.AddRange(await session.Many<CurrentFacet>(sql, new { organization, ids = chunk }, ct));
        }

        return facets.OrderBy(facet => facet.Facet, StringComparer.Ordinal).ToLookup(facet => facet.SubjectId, StringComparer.Ordinal);
    }

    /// <summary>
    /// The schemas and the changes of the lifecycle state of one dataset, by the time of their first report, newest
    /// first; at most 1000.
    /// </summary>
    public static Task<List<FacetValue>> History(Session session, string organization, Guid dataset, CancellationToken ct)
    {
        const string Sql = """
            -- Marquez.FacetHistory
            select facet, value, first_at, last_at
            from facets
            where organization_id = @organization and subject = 'dataset' and subject_id = @subject
              and facet in ('schema', 'lifecycleStateChange')
            order by first_at desc, value_hash desc
            limit 1000
            """;

        return session.Many<FacetValue>(Sql, new { organization, subject = dataset.ToString() }, ct);
    }

    /// <summary>The latest quality metrics of one dataset; null when none are reported.</summary>
    public static Task<string?> Metrics(Session session, string organization, Guid dataset, CancellationToken ct)
    {
        const string Sql = """
            -- Marquez.Metrics
            select value
            from facets
            where organization_id = @organization and subject = 'dataset' and subject_id = @subject and facet = 'dataQualityMetrics'
            order by last_at desc, value_hash desc
            limit 1
            """;

        return session.One<string>(Sql, new { organization, subject = dataset.ToString() }, ct);
    }
}

/// <summary>The current value of a facet.</summary>
public sealed record CurrentFacet
{
    /// <summary>The pipeline's id, the run's id or the dataset's key.</summary>
    public required string SubjectId { get; init; }

    /// <summary>The name of the facet.</summary>
    public required string Facet { get; init; }

    /// <summary>A JSON object.</summary>
    public required string Value { get; init; }
}
