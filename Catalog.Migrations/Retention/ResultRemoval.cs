using System.Data.Common;
using Catalog.Data.Checks;

namespace Catalog.Migrations.Retention;

/// <summary>Removes old check results.</summary>
internal static class ResultRemoval
{
    /// <summary>
    /// SQL condition for an old result. Both its execution and its creation must be old, so a result that was sent late
    /// is kept for the full time.
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
            // A batch starts where the last batch ended, to skip the dead index entries of removed rows.
            var sql = $"""
                -- ResultRemoval.NextBatch
                select id, executed_at as at
                from check_results
                where check_results.organization_id = @organization and {IsOld("@before")} {(from is null ? "" : "and check_results.executed_at >= @from")}
                order by executed_at, id
                limit @batch
                {batches.SkipLocked}
                """;

            var old = await batches.Query<OldRow>(
                transaction, sql, new { organization = part.Organization, before = part.Before, from, batch = batches.Size });
            var rows = 0L;
            foreach (var ids in old.Select(row => row.Id).Chunk(batches.Queries.ListLimit))
            {
                rows += await Remove(transaction, part, batches, ids);
            }

            return new([new("check_results", rows)], old.Count < batches.Size, () => from = old.Count > 0 ? old[^1].At : from);
        };
    }

    // If a check's state comes from a removed result, the state is computed again from the remaining results. Usually
    // only results that were sent late remain, if any.
    private static async Task<int> Remove(DbTransaction transaction, RemovalPart part, RemovalBatches batches, string[] ids)
    {
        var changedChecks = $"""
            -- ResultRemoval.ChangedChecks
            select states.pipeline_id, states.check_id
            from check_results
            join check_states as states on states.organization_id = @organization and states.pipeline_id = check_results.pipeline_id
                and states.check_id = check_results.check_id and states.result_id = check_results.id
            where check_results.organization_id = @organization and {batches.Queries.IsAnyOf("check_results.id", "@ids")}
            """;
        var deleteRunStates = $"""
            -- ResultRemoval.DeleteRunStates
            delete from run_check_states
            where organization_id = @organization and executed_at < @before and (run_id, pipeline_id, check_id) in (
                select states.run_id, states.pipeline_id, states.check_id
                from check_results
                join run_check_states as states on states.organization_id = @organization and states.run_id = check_results.run_id
                    and states.pipeline_id = check_results.pipeline_id and states.check_id = check_results.check_id
                    and states.result_id = check_results.id
                where check_results.organization_id = @organization and {batches.Queries.IsAnyOf("check_results.id", "@ids")}
                  and not exists (select 1 from runs where runs.organization_id = @organization and runs.id = states.run_id))
            """;
        var deleteResults = $"""
            -- ResultRemoval.DeleteResults
            delete from check_results
            where organization_id = @organization and {batches.Queries.IsAnyOf("id", "@ids")}
            """;

        var parameters = new { organization = part.Organization, before = part.Before, ids };
        var changed = await batches.Query<Check>(transaction, changedChecks, parameters);
        await batches.Execute(transaction, deleteRunStates, parameters);
        var deleted = await batches.Execute(transaction, deleteResults, parameters);
        await batches.Send(transaction, part.Organization, CheckStateFold.FoldAgain(
            part.Organization, changed.ConvertAll(check => new CheckStateFold.CheckKey(check.PipelineId, check.CheckId))));
        return deleted;
    }

    private sealed record Check
    {
        public required string PipelineId { get; init; }
        public required string CheckId { get; init; }
    }
}
