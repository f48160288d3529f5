using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Reads which parts of events were not understood.</summary>
public sealed class UnreadFacetRepository(CatalogDatabase db)
{
    /// <summary>At most 500 parts, the most frequent first.</summary>
    public Task<List<UnreadFacetCount>> List(string organization, CancellationToken ct)
    {
        const string Sql = """
            -- UnreadFacets.List
            select place, facet, reason, events, first_at, last_at
            from unread_facets
            where organization_id = @organization
            order by events desc, place, facet, reason
            limit 500
            """;

        return db.Many<UnreadFacetCount>(organization, Sql, new { organization }, ct);
    }
}

/// <summary>A part of events that was not understood, with the number of events.</summary>
public sealed record UnreadFacetCount
{
    public required string Place { get; init; }
    public required string Facet { get; init; }
    public required string Reason { get; init; }
    public required long Events { get; init; }

    /// <summary>The time of the earliest of these events.</summary>
    public required DateTimeOffset FirstAt { get; init; }

    public required DateTimeOffset LastAt { get; init; }
}
