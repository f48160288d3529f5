using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Removes old check results.</summary>
internal static class ResultRemoval
{
    /// <summary>
    /// SQL condition for an old result: both execution and creation are old, so a result that was sent late is kept for
    /// the full time.
    /// </summary>
    public static string IsOld(string before) => $"check_results.executed_at < {before} and check_results.created_at < {before}";

    /// <summary>Returns a query per table that counts the rows to remove.</summary>
    public static List<(string Table, string Sql)> CountQueries()
    {
        var results = $"""
            -- ResultRemoval.CountQueries
            select count(*)
            from check_results
            where check_results.organization_id = @organization and {IsOld("@before")}
            """;

        return [("check_results", results)];
    }

    /// <summary>Returns a function that removes the next batch of rows.</summary>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(RemovalPart part, RemovalBatches batches)
    {
        DateTimeOffset? from = null;
        return async transaction =>
        {
            // Starts where the last batch ended, to skip the dead index entries of removed rows.
            var sql = $"""
                -- ResultRemoval.NextBatch
                with old as materialized (
                    select id
                    from check_results
                    where check_results.organization_id = @organization and {IsOld("@before")} {(from is null ? "" : "and check_results.executed_at >= @from")}
                    order by executed_at, id
                    limit @batch
                    {batches.SkipLocked}
                )
                delete from check_results
                where organization_id = @organization and id in (select id from old)
                returning executed_at
                """;

            var deleted = await batches.Query<DateTimeOffset>(
                transaction, sql, new { organization = part.Organization, before = part.Before, from, batch = batches.Size });
            return new([new("check_results", deleted.Count)], deleted.Count < batches.Size, () => from = deleted.Count > 0
                ? deleted.Max() : from);
        };
    }
}
