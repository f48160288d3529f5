using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Removes old executions of checks, if the executions have ended. <see cref="ResultRemoval"/> removes their results.
/// </summary>
internal static class ExecutionRemoval
{
    private const string IsOld = "executions.created_at < @before and executions.finished_at < @before";

    /// <inheritdoc cref="ResultRemoval.CountQueries"/>
    public static List<(string Table, string Sql)> CountQueries()
    {
        const string Executions = $"""
            -- ExecutionRemoval.CountQueries
            select count(*)
            from executions
            where executions.organization_id = @organization and {IsOld}
            """;
        const string Checks = $"""
            -- ExecutionRemoval.CountChecks
            select count(*)
            from executions
            cross join execution_checks
            where executions.organization_id = @organization and {IsOld}
              and execution_checks.organization_id = @organization and execution_checks.execution_id = executions.id
            """;

        return [("executions", Executions), ("execution_checks", Checks)];
    }

    /// <inheritdoc cref="ResultRemoval.NextBatch"/>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(RemovalPart part, RemovalBatches batches)
    {
        var cascade = new CascadeRemoval(part.Organization, batches, "executions", [new("execution_checks", "execution_id")]);
        DateTimeOffset? from = null;
        return async transaction =>
        {
            var sql = $"""
                -- ExecutionRemoval.NextBatch
                select id, created_at as at
                from executions
                where executions.organization_id = @organization and {IsOld} {(from is null ? "" : "and executions.created_at >= @from")}
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
