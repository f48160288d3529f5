using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Removes old events of runs that are kept. No index on events contains the time, so the events are found through
/// their runs. An event is never older than its run.
/// </summary>
internal static class EventRemoval
{
    /// <inheritdoc cref="ResultRemoval.CountQueries"/>
    /// <param name="runsRemoved">True if old runs are removed first, with their events.</param>
    public static List<(string Table, string Sql)> CountQueries(bool runsRemoved)
    {
        var events = $"""
            -- EventRemoval.CountQueries
            select count(*)
            from runs
            cross join run_events
            where runs.organization_id = @organization and runs.created_at < @before {(runsRemoved ? $"and not {RunRemoval.IsOld("@runsBefore")}" : "")}
              and run_events.organization_id = @organization and run_events.run_id = runs.id and run_events.received_at < @before
            """;

        return [("run_events", events)];
    }

    /// <inheritdoc cref="ResultRemoval.NextBatch"/>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(RemovalPart part, RemovalBatches batches)
    {
        OldRow? from = null;
        // The last run of the current page; null if the page reaches the end.
        OldRow? to = null;
        var paged = false;
        return async transaction =>
        {
            object Parameters() =>
                new
                {
                    organization = part.Organization,
                    before = part.Before,
                    FromAt = from?.At,
                    FromId = from?.Id,
                    ToAt = to?.At,
                    ToId = to?.Id,
                    batch = batches.Size,
                    last = batches.Size - 1
                };
            if (!paged)
            {
                var page = $"""
                    -- EventRemoval.PageOfRuns
                    select id, created_at as at
                    from runs
                    where organization_id = @organization and created_at < @before {(from is null ? "" : "and (created_at, id) > (@FromAt, @FromId)")}
                    order by created_at, id
                    limit 1 offset @last
                    """;

                to = (await batches.Query<OldRow>(transaction, page, Parameters())).SingleOrDefault();
                paged = true;
            }

            var sql = $"""
                -- EventRemoval.NextBatch
                with old as materialized (
                    select run_events.run_id, run_events.digest
                    from runs
                    cross join run_events
                    where runs.organization_id = @organization {(from is null ? "" : "and (runs.created_at, runs.id) > (@FromAt, @FromId)")}
                      and {(to is null ? "runs.created_at < @before" : "runs.created_at <= @ToAt and (runs.created_at, runs.id) <= (@ToAt, @ToId)")}
                      and run_events.organization_id = @organization and run_events.run_id = runs.id and run_events.received_at < @before
                    limit @batch
                )
                delete from run_events
                where organization_id = @organization and (run_id, digest) in (select run_id, digest from old)
                """;

            var deleted = await batches.Execute(transaction, sql, Parameters());
            var done = deleted < batches.Size;
            return new([new("run_events", deleted)], done && to is null, () => (from, paged) = done ? (to, false) : (from, paged));
        };
    }
}
