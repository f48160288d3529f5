using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Finds the runs of the same pipeline that started before and after a run.</summary>
public sealed class RunNeighbors(CatalogDatabase db)
{
    /// <returns>The ids of the previous and the next run; null when there is no such run.</returns>
    public async Task<(string? Previous, string? Next)> Of(string organization, Run run, CancellationToken ct)
    {
        // SQLite does not search an index for a comparison of pairs with an expression, so the start is also compared
        // alone.
        const string Sql = $"""
            -- RunNeighbors.Of
            select 'previous' as side, id from (
                select id from runs
                where organization_id = @organization and pipeline_id = @PipelineId and {RunSortTimes.Started} <= @at
                  and ({RunSortTimes.Started}, id) < (@at, @Id)
                order by {RunSortTimes.Started} desc, id desc
                limit 1) as earlier
            union all
            select 'next' as side, id from (
                select id from runs
                where organization_id = @organization and pipeline_id = @PipelineId and {RunSortTimes.Started} >= @at
                  and ({RunSortTimes.Started}, id) > (@at, @Id)
                order by {RunSortTimes.Started}, id
                limit 1) as later
            """;

        var rows = await db.Many<Neighbor>(
            organization, Sql, new { organization, run.PipelineId, run.Id, at = run.StartedAt ?? run.CreatedAt }, ct);
        return (rows.Find(row => row.Side == "previous")?.Id, rows.Find(row => row.Side == "next")?.Id);
    }

    private sealed record Neighbor
    {
        public required string Side { get; init; }
        public required string Id { get; init; }
    }
}
