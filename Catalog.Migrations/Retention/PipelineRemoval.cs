using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Removes deleted pipelines that have neither runs nor results, together with their versions, tags and facets.
/// </summary>
internal static class PipelineRemoval
{
    private static readonly Dependent[] Dependents =
    [
        new("pipeline_versions", "pipeline_id"), new("pipeline_tags", "pipeline_id"),
        new("facets", "subject_id", "and facets.subject = 'job'"),
    ];

    /// <inheritdoc cref="ResultRemoval.CountQueries"/>
    /// <param name="runsRemoved">True if old runs are removed first.</param>
    /// <param name="resultsRemoved">True if old results are removed first.</param>
    public static List<(string Table, string Sql)> CountQueries(bool runsRemoved, bool resultsRemoved)
    {
        var removable = IsRemovable(runsRemoved, resultsRemoved);
        var pipelines = $"""
            -- PipelineRemoval.CountQueries
            select count(*)
            from pipelines
            where pipelines.organization_id = @organization and {removable}
            """;
        string DependentRows(Dependent dependent) => $"""
            -- PipelineRemoval.CountDependentRows
            select count(*)
            from pipelines
            cross join {dependent.Table}
            where pipelines.organization_id = @organization and {removable}
              and {dependent.Table}.organization_id = @organization {dependent.Condition}
              and {dependent.Table}.{dependent.Column} = pipelines.id
            """;

        return [("pipelines", pipelines), .. Dependents.Select(dependent => (dependent.Table, DependentRows(dependent)))];
    }

    /// <inheritdoc cref="ResultRemoval.NextBatch"/>
    public static Func<DbTransaction, Task<RemovedBatch>> NextBatch(RemovalPart part, RemovalBatches batches)
    {
        var cascade = new CascadeRemoval(part.Organization, batches, "pipelines", Dependents);
        string? after = null;
        return async transaction =>
        {
            var sql = $"""
                -- PipelineRemoval.NextBatch
                select id, deleted_at as at
                from pipelines
                where pipelines.organization_id = @organization {(after is null ? "" : "and pipelines.id > @after")}
                  and {IsRemovable(runsRemoved: false, resultsRemoved: false)}
                order by id
                limit @batch
                {batches.SkipLocked}
                """;

            var old = await batches.Query<OldRow>(
                transaction, sql, new { organization = part.Organization, before = part.Before, after, batch = batches.Size });
            return await cascade.Remove(transaction, old, last => after = last.Id);
        };
    }

    // SQL condition: the pipeline was deleted before the time, and it has neither runs nor results. A dry run ignores
    // the runs and results that would be removed first.
    private static string IsRemovable(bool runsRemoved, bool resultsRemoved) => $"""
        pipelines.deleted_at < @before
          and not exists (select 1 from runs
                          where runs.organization_id = @organization and runs.pipeline_id = pipelines.id{(runsRemoved ? $" and not {RunRemoval.IsOld("@runsBefore")}" : "")})
          and not exists (select 1 from check_results
                          where check_results.organization_id = @organization and check_results.pipeline_id = pipelines.id{(resultsRemoved ? $" and not ({ResultRemoval.IsOld("@resultsBefore")})" : "")})
        """;
}
