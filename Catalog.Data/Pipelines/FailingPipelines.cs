using Catalog.Data.Database;

namespace Catalog.Data.Pipelines;

/// <summary>Finds pipelines that fail now, at a cost that does not depend on the number of pipelines.</summary>
public sealed class FailingPipelines(CatalogDatabase db)
{
    // The maximum number of failed runs that are read, and of pipelines whose latest run is looked up.
    private const string MaxRuns = "2000";
    private const string MaxPipelines = "200";

    /// <summary>
    /// The pipelines whose latest run failed, the last failure first. Then the pipelines with a failing check, in the
    /// order of their ids. A failed run that is not among the newest 2,000 failed runs is not found.
    /// </summary>
    /// <returns>At most <paramref name="limit"/> ids of each of the two kinds, without duplicates.</returns>
    public Task<List<string>> Find(string organization, int limit, CancellationToken ct) => db.Read(organization, async session =>
    {
        // The two parts of newest read two ranges of the index by status and end. Many failed runs belong to few
        // pipelines, so the latest run is looked up once for each pipeline. The look-ups are subqueries with one value,
        // because with a join SQLite might read all pipelines first.
        const string ByRun = $"""
            -- FailingPipelines.ByRun
            with newest as materialized (
                select * from (
                    select pipeline_id, completed_at as failed_at
                    from runs
                    where organization_id = @organization and status = 'failed' and completed_at is not null
                    order by completed_at desc, id desc
                    limit {MaxRuns}) as ended
                union all
                select * from (
                    select pipeline_id, created_at as failed_at
                    from runs
                    where organization_id = @organization and status = 'failed' and completed_at is null
                    order by id desc
                    limit {MaxPipelines}) as unended
            ), failed as materialized (
                select pipeline_id, max(failed_at) as failed_at
                from newest
                group by pipeline_id
                order by failed_at desc, pipeline_id
                limit {MaxPipelines}
            ), latest as materialized (
                select failed.*, (
                    select runs.status from runs
                    where runs.organization_id = @organization and runs.pipeline_id = failed.pipeline_id
                    order by {RunSortTimes.Started} desc, runs.id desc
                    limit 1) as status
                from failed
            )
            select pipeline_id
            from latest
            where status = 'failed' and (
                select 1 from pipelines
                where pipelines.organization_id = @organization and pipelines.id = latest.pipeline_id
                  and pipelines.deleted_at is null) = 1
            order by failed_at desc, pipeline_id
            limit @limit
            """;
        const string ByCheck = """
            -- FailingPipelines.ByCheck
            select pipeline_id
            from check_states
            where organization_id = @organization and status = 'fail' and pipeline_id > ''
              and (
                select 1 from pipelines
                where pipelines.organization_id = @organization and pipelines.id = check_states.pipeline_id
                  and pipelines.deleted_at is null) = 1
            group by pipeline_id
            order by pipeline_id
            limit @limit
            """;

        var byRun = await session.Many<string>(ByRun, new { organization, limit }, ct);
        var byCheck = await session.Many<string>(ByCheck, new { organization, limit }, ct);
        return byRun.Union(byCheck, StringComparer.Ordinal).ToList();
    }, ct);
}
