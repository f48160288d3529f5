using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Removes old events of other tools from the log. Rows that were made from these events stay, but a replay can no
/// longer make them again.
/// </summary>
internal static class LoggedEventRemoval
{
    /// <inheritdoc cref="ResultRemoval.CountQueries"/>
    public static (string Table, string Sql) CountQuery()
    {
        const string Sql = """
            -- LoggedEventRemoval.CountQuery
            select count(*)
            from lineage_events
            where organization_id = @organization and received_at < @before
            """;

        return ("lineage_events", Sql);
    }

    /// <inheritdoc cref="ResultRemoval.NextBatch"/>
    /// <param name="part">The organization and the time.</param>
    /// <param name="batches">Runs the transactions.</param>
    /// <param name="before">Removes the events of runs. It is called first, until it has removed all of them.</param>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(
        RemovalPart part, RemovalBatches batches, Func<DbTransaction, Task<RemovedBatch>> before)
    {
        const string Sql = """
            -- LoggedEventRemoval.NextBatch
            with old as materialized (
                select dialect, digest
                from lineage_events
                where organization_id = @organization and received_at < @before
                order by received_at, dialect, digest
                limit @batch
            )
            delete from lineage_events
            where organization_id = @organization and (dialect, digest) in (select dialect, digest from old)
            """;

        var othersAreDone = false;
        return async transaction =>
        {
            if (!othersAreDone)
            {
                var others = await before(transaction);
                return others with
                {
                    // Every batch of one kind must name the same tables in the same order.
                    Rows = [.. others.Rows, new("lineage_events", 0)],
                    Last = false,
                    Committed = () =>
                    {
                        others.Committed();
                        othersAreDone = others.Last;
                    },
                };
            }

            var deleted = await batches.Execute(
                transaction, Sql, new { organization = part.Organization, before = part.Before, batch = batches.Size });
            return new([new("run_events", 0), new("lineage_events", deleted)], deleted < batches.Size, () => { });
        };
    }
}
