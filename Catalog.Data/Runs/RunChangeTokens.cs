using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Finds out which runs have changed, for readers that watch runs.</summary>
public sealed class RunChangeTokens(CatalogDatabase db)
{
    /// <summary>
    /// Reads the versions of runs with one statement. A version changes with each event of the run and with each check
    /// result of the run. Unknown ids are left out.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> Read(string organization, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- RunChangeTokens.Read
            select runs.id, runs.updated_at, runs.status,
                (select count(*) from check_results as results
                 where results.organization_id = @organization and results.run_id = runs.id) as results
            from {db.Dialect.ByIndex("runs", "organization_id = @organization", "id", "@ids")}
            """;

        var rows = await db.Many<Row>(organization, sql, new { organization, ids = ids.ToArray() }, ct);
        return rows.ToDictionary(
            row => row.Id, row => FormattableString.Invariant($"{row.UpdatedAt.UtcTicks}-{row.Status}-{row.Results}"),
            StringComparer.Ordinal);
    }

    private sealed record Row
    {
        public required string Id { get; init; }
        public required DateTimeOffset UpdatedAt { get; init; }
        public required string Status { get; init; }
        public required long Results { get; init; }
    }
}
