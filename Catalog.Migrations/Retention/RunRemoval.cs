using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Removes old runs, together with their stages, events and states of checks.</summary>
internal static class RunRemoval
{
    private static readonly string[] DependentTables = ["run_stages", "run_events", "run_check_states"];

    /// <summary>
    /// SQL condition for an old run. A run without a reported end may still be active: it is old only if its last update is old as well.
    /// </summary>
    public static string IsOld(string before) =>
        $"(runs.created_at < {before} and (coalesce(runs.reported_status, 'pending') not in ('pending', 'running') or "
            + $"runs.updated_at < {before}))";

    /// <inheritdoc cref="ResultRemoval.CountQueries"/>
    public static List<(string Table, string Sql)> CountQueries()
    {
        var runs = $"""
            -- RunRemoval.CountQueries
            select count(*)
            from runs
            where runs.organization_id = @organization and {IsOld("@before")}
            """;
        string DependentRows(string table) => $"""
            -- RunRemoval.CountDependentRows
            select count(*)
            from runs
            cross join {table}
            where runs.organization_id = @organization and {IsOld("@before")}
              and {table}.organization_id = @organization and {table}.run_id = runs.id
            """;

        return [("runs", runs), .. DependentTables.Select(table => (table, DependentRows(table)))];
    }

    /// <inheritdoc cref="ResultRemoval.NextBatch"/>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(RemovalPart part, RemovalBatches batches)
    {
        var cascade = new CascadeRemoval(part.Organization, batches, "runs", "run_id", DependentTables);
        DateTimeOffset? from = null;
        return async transaction =>
        {
            // A writer of an event locks the run first. So while a run is locked here, all its events are visible and
            // no new event can arrive.
            var sql = $"""
                -- RunRemoval.NextBatch
                select id, created_at as at
                from runs
                where runs.organization_id = @organization and {IsOld("@before")} {(from is null ? "" : "and runs.created_at >= @from")}
                order by created_at, id
                limit @batch
                {batches.SkipLocked}
                """;

            var old = await batches.Query<OldRow>(
                transaction, sql, new { organization = part.Organization, before = part.Before, from, batch = batches.Size });
            return await cascade.Remove(transaction, old, last => from = last.At);
        };
    }
}
