using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Deleted pipelines whose runs and results are gone, each with its versions and tags.</summary>
internal static class PipelineRemoval
{
    private static readonly string[] Parts = ["pipeline_versions", "pipeline_tags"];

    /// <inheritdoc cref="ResultRemoval.Counts"/>
    /// <param name="runsTaken">Whether old runs go first.</param>
    /// <param name="resultsTaken">Whether old results do.</param>
    public static List<(string Table, string Sql)> Counts(bool runsTaken, bool resultsTaken)
    {
        var gone = Gone(runsTaken, resultsTaken);
        var pipelines = $"""
            -- PipelineRemoval.Counts
            select count(*)
            from pipelines
            where pipelines.organization_id = @organization and {gone}
            """;
        string OfTheirs(string table) => $"""
            -- PipelineRemoval.CountsOfTheirs
            select count(*)
            from pipelines
            cross join {table}
            where pipelines.organization_id = @organization and {gone}
              and {table}.organization_id = @organization and {table}.pipeline_id = pipelines.id
            """;

        return [("pipelines", pipelines), .. Parts.Select(table => (table, OfTheirs(table)))];
    }

    /// <inheritdoc cref="ResultRemoval.Of"/>
    public static Func<DbTransaction, Task<RemovedBatch>> Of(RemovalPart part, RemovalBatches batches)
    {
        var whole = new WholeRemoval(part.Organization, batches, "pipelines", "pipeline_id", Parts);
        string? after = null;
        return async transaction =>
        {
            var sql = $"""
                -- PipelineRemoval.Of
                select id, deleted_at as at
                from pipelines
                where pipelines.organization_id = @organization {(after is null ? "" : "and pipelines.id > @after")}
                  and {Gone(runsTaken: false, resultsTaken: false)}
                order by id
                limit @batch
                {batches.SkipLocked}
                """;

            var old = await batches.Many<OldRow>(transaction, sql, new { organization = part.Organization, before = part.Before, after, batch = batches.Size });
            return await whole.Remove(transaction, old, last => after = last.Id);
        };
    }

    // Nothing of it is left; in a count, nothing will be left.
    private static string Gone(bool runsTaken, bool resultsTaken) => $"""
        pipelines.deleted_at < @before
          and not exists (select 1 from runs
                          where runs.organization_id = @organization and runs.pipeline_id = pipelines.id{(runsTaken ? $" and not {RunRemoval.Old("@runsBefore")}" : "")})
          and not exists (select 1 from check_results
                          where check_results.organization_id = @organization and check_results.pipeline_id = pipelines.id{(resultsTaken ? $" and not ({ResultRemoval.Old("@resultsBefore")})" : "")})
        """;
}
