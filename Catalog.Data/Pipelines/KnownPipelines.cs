using Catalog.Data.Database;

namespace Catalog.Data.Pipelines;

/// <summary>Which pipelines there are, for what refers to them, inside its transaction.</summary>
internal static class KnownPipelines
{
    /// <summary>Those of <paramref name="ids"/> that are registered and not deleted.</summary>
    public static async Task<HashSet<string>> Among(Session session, Dialect dialect, string organization, IEnumerable<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- KnownPipelines.Among
            select id
            from pipelines
            where organization_id = @organization and {dialect.IsAnyOf("id", "@asked")} and deleted_at is null
            """;

        var asked = ids.Distinct(StringComparer.Ordinal).ToArray();
        return asked.Length == 0 ? [] : (await session.Many<string>(sql, new { organization, asked }, ct)).ToHashSet(StringComparer.Ordinal);
    }
}
