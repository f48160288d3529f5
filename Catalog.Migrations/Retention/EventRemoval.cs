using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Events that are old, of runs that stay. They are found through their runs, because no index leads to them by time: an event is never older than its run.</summary>
internal static class EventRemoval
{
    /// <inheritdoc cref="ResultRemoval.Counts"/>
    /// <param name="runsTaken">Whether old runs go first.</param>
    public static List<(string Table, string Sql)> Counts(bool runsTaken)
    {
        var events = $"""
            -- EventRemoval.Counts
            select count(*)
            from runs
            cross join run_events
            where runs.organization_id = @organization and runs.created_at < @before {(runsTaken ? $"and not {RunRemoval.Old("@runsBefore")}" : "")}
              and run_events.organization_id = @organization and run_events.run_id = runs.id and run_events.received_at < @before
            """;

        return [("run_events", events)];
    }

    /// <inheritdoc cref="ResultRemoval.Of"/>
    public static Func<DbTransaction, Task<RemovedBatch>> Of(RemovalPart part, RemovalBatches batches)
    {
        OldRow? from = null;
        // The last of the runs at hand; null: they go to the end.
        OldRow? to = null;
        var paged = false;
        return async transaction =>
        {
            object Parameters() => new { organization = part.Organization, before = part.Before, FromAt = from?.At, FromId = from?.Id, ToAt = to?.At, ToId = to?.Id, batch = batches.Size, last = batches.Size - 1 };
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

                to = (await batches.Many<OldRow>(transaction, page, Parameters())).SingleOrDefault();
                paged = true;
            }

            var sql = $"""
                -- EventRemoval.Of
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

            var gone = await batches.Execute(transaction, sql, Parameters());
            var done = gone < batches.Size;
            return new([new("run_events", gone)], done && to is null, () => (from, paged) = done ? (to, false) : (from, paged));
        };
    }
}
