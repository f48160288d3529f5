using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Finds out which runs have changed, for readers that watch runs.</summary>
public sealed class RunVersions(CatalogDatabase db)
{
    /// <summary>
    /// Reads the versions of runs with one statement. A version changes with each event of the run and with each changed
    /// state of its checks.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> Read(string organization, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- RunVersions.Read
            select runs.id, runs.updated_at, runs.status,
                (select count(*) from run_check_states as states
                 where states.organization_id = @organization and states.run_id = runs.id) as checks,
                (select sum(states.rank) from run_check_states as states
                 where states.organization_id = @organization and states.run_id = runs.id) as ranks
            from {db.Dialect.ByIndex("runs", "organization_id = @organization", "id", "@ids")}
            """;

        var rows = await db.Many<Row>(organization, sql, new { organization, ids = ids.ToArray() }, ct);
        return rows.ToDictionary(
            row => row.Id, row => FormattableString.Invariant($"{row.UpdatedAt.UtcTicks}-{row.Status}-{row.Checks}-{row.Ranks}"),
            StringComparer.Ordinal);
    }

    private sealed record Row
    {
        public required string Id { get; init; }
        public required DateTimeOffset UpdatedAt { get; init; }
        public required string Status { get; init; }
        public required long Checks { get; init; }
        public long? Ranks { get; init; }
    }
}
