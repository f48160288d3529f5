using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Removes old runs, together with their stages, events, states of checks, earlier attempts and lineage.</summary>
internal static class RunRemoval
{
    private static readonly Dependent[] Dependents =
    [
        new("run_stages", "run_id"), new("run_events", "run_id"), new("run_check_states", "run_id"), new("run_attempts", "run_id"),
        new("lineage_runs", "run_id"), new("run_datasets", "run_id"), new("facets", "subject_id", "and facets.subject = 'run'"),
    ];

    /// <summary>
    /// SQL condition for an old run. A run without a reported end can still be active. So such a run is old only if its
    /// last update is old as well.
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
        string DependentRows(Dependent dependent) => $"""
            -- RunRemoval.CountDependentRows
            select count(*)
            from runs
            cross join {dependent.Table}
            where runs.organization_id = @organization and {IsOld("@before")}
              and {dependent.Table}.organization_id = @organization {dependent.Condition}
              and {dependent.Table}.{dependent.Column} = runs.id
            """;

        return [("runs", runs), .. Dependents.Select(dependent => (dependent.Table, DependentRows(dependent)))];
    }

    /// <inheritdoc cref="ResultRemoval.NextBatch"/>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(RemovalPart part, RemovalBatches batches)
    {
        var cascade = new CascadeRemoval(part.Organization, batches, "runs", Dependents);
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
