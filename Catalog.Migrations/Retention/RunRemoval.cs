using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Runs that are old, each with its stages and events.</summary>
internal static class RunRemoval
{
    private static readonly string[] Parts = ["run_stages", "run_events"];

    /// <summary>The condition of an old one. A run whose end nobody has told may still be going on: it stays until nothing was heard of it for as long as runs are kept.</summary>
    public static string Old(string before) =>
        $"(runs.created_at < {before} and (coalesce(runs.reported_status, 'pending') not in ('pending', 'running') or runs.updated_at < {before}))";

    /// <inheritdoc cref="ResultRemoval.Counts"/>
    public static List<(string Table, string Sql)> Counts()
    {
        var runs = $"""
            -- RunRemoval.Counts
            select count(*)
            from runs
            where runs.organization_id = @organization and {Old("@before")}
            """;
        string OfTheirs(string table) => $"""
            -- RunRemoval.CountsOfTheirs
            select count(*)
            from runs
            cross join {table}
            where runs.organization_id = @organization and {Old("@before")}
              and {table}.organization_id = @organization and {table}.run_id = runs.id
            """;

        return [("runs", runs), .. Parts.Select(table => (table, OfTheirs(table)))];
    }

    /// <inheritdoc cref="ResultRemoval.Of"/>
    public static Func<DbTransaction, Task<RemovedBatch>> Of(RemovalPart part, RemovalBatches batches)
    {
        var whole = new WholeRemoval(part.Organization, batches, "runs", "run_id", Parts);
        DateTimeOffset? from = null;
        return async transaction =>
        {
            // Who brings an event locks its run first: of a run that is locked here all events can be seen, and no other is coming.
            var sql = $"""
                -- RunRemoval.Of
                select id, created_at as at
                from runs
                where runs.organization_id = @organization and {Old("@before")} {(from is null ? "" : "and runs.created_at >= @from")}
                order by created_at, id
                limit @batch
                {batches.SkipLocked}
                """;

            var old = await batches.Many<OldRow>(transaction, sql, new { organization = part.Organization, before = part.Before, from, batch = batches.Size });
            return await whole.Remove(transaction, old, last => from = last.At);
        };
    }
}
