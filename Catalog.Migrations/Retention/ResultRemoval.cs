using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Check results that are old.</summary>
internal static class ResultRemoval
{
    /// <summary>The condition of an old one. What a client has only just sent stays as long as what it tells of, however old that is.</summary>
    public static string Old(string before) => $"check_results.executed_at < {before} and check_results.created_at < {before}";

    /// <summary>What counts the rows of each table.</summary>
    public static List<(string Table, string Sql)> Counts()
    {
        var results = $"""
            -- ResultRemoval.Counts
            select count(*)
            from check_results
            where check_results.organization_id = @organization and {Old("@before")}
            """;

        return [("check_results", results)];
    }

    /// <summary>What removes the next of them.</summary>
    public static Func<DbTransaction, Task<RemovedBatch>> Of(RemovalPart part, RemovalBatches batches)
    {
        DateTimeOffset? from = null;
        return async transaction =>
        {
            // Beginning where the last batch ended spares the index entries that it left dead.
            var sql = $"""
                -- ResultRemoval.Of
                with old as materialized (
                    select id
                    from check_results
                    where check_results.organization_id = @organization and {Old("@before")} {(from is null ? "" : "and check_results.executed_at >= @from")}
                    order by executed_at, id
                    limit @batch
                    {batches.SkipLocked}
                )
                delete from check_results
                where organization_id = @organization and id in (select id from old)
                returning executed_at
                """;

            var gone = await batches.Many<DateTimeOffset>(transaction, sql, new { organization = part.Organization, before = part.Before, from, batch = batches.Size });
            return new([new("check_results", gone.Count)], gone.Count < batches.Size, () => from = gone.Count > 0 ? gone.Max() : from);
        };
    }
}
