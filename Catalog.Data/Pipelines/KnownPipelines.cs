using Catalog.Data.Database;

namespace Catalog.Data.Pipelines;

/// <summary>Checks references to pipelines, inside the transaction of the row that refers to them.</summary>
internal static class KnownPipelines
{
    /// <summary>The subset of <paramref name="ids"/> that are registered and not deleted.</summary>
    public static async Task<HashSet<string>> FindRegistered(Session session, Dialect dialect, string organization, IEnumerable<string> ids,
        CancellationToken ct)
    {
        var sql = $"""
            -- KnownPipelines.FindRegistered
            select id
            from pipelines
            where organization_id = @organization and {dialect.IsAnyOf("id", "@ids")} and deleted_at is null
            """;

        var distinctIds = ids.Distinct(StringComparer.Ordinal).ToArray();
        return distinctIds.Length == 0 ? [] : (await session.Many<string>(sql, new { organization, ids = distinctIds }, ct))
            .ToHashSet(StringComparer.Ordinal);
    }
}
