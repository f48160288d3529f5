using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Organizations;
using Catalog.Data.Schedules;

namespace Catalog.Data.Pipelines;

/// <summary>Reads and soft-deletes pipelines. <see cref="PipelineRegistration"/> writes them.</summary>
public sealed class PipelineRepository(CatalogDatabase db, CheckResultRepository results)
{
    // The maximum number of pipelines whose latest run is looked up for one page of a list that is filtered by status.
    private const int MaxExamined = RowCount.Max;

    /// <summary>
    /// One page of pipelines, newest first. With a filter by status a page can have fewer items than the limit although
    /// another page follows.
    /// </summary>
    public async Task<Page<Pipeline>> List(string organization, PipelineFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        var page = await ListWithTags(organization, filter, after, limit, ct);
        var failures = (await results.OpenFailures(organization, [.. page.Items.Select(pipeline => pipeline.Id)], ct))
            .CountBy(failure => failure.PipelineId)
            .ToDictionary(StringComparer.Ordinal);
        return page with
        {
            Items = [.. page.Items.Select(pipeline => pipeline with { OpenFailures = failures.GetValueOrDefault(pipeline.Id) })]
        };
    }

    private Task<Page<Pipeline>> ListWithTags(string organization, PipelineFilter filter, Cursor? after, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            // The latest run is the run with the latest start, so a backfill that reports an old start does not become
            // the latest run. A separate step selects its id: with a join on a subquery, row-level security would make
            // Postgres read every run of the organization. Pipelines with given ids are read in the order of their ids:
            // for the order of the list, SQLite would read all pipelines.
            var last = filter.Statuses is null ? null : await LastExamined(session, organization, filter, after, ct);
            var sql = $"""
                -- Pipelines.List{(filter.Ids is not null ? "OfIds" : filter.Statuses is null ? "" : "ByStatus")}
                with page as (
                    select id, current_version, description, owner, environment, schedule, created_at, updated_at, deleted_at
                    from pipelines
                    where organization_id = @organization {Conditions(filter)} {HasStatus(filter, last)}
                      {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
                    order by {(filter.Ids is null ? "created_at desc, id desc" : "id")}
                    limit @Take
                ), latest as materialized (
                    select page.*, (
                        select runs.id from runs
                        where runs.organization_id = @organization and runs.pipeline_id = page.id
                        order by {RunSortTimes.Started} desc, runs.id desc
                        limit 1) as latest_run_id
                    from page
                )
                select page.id, page.current_version as version, page.description, page.owner, page.environment, page.schedule,
                       page.created_at, page.updated_at, page.deleted_at, runs.id as run_id, runs.status as run_status,
                       runs.created_at as run_created_at, runs.started_at as run_started_at, runs.completed_at as run_completed_at
                from latest as page
                left join runs on runs.organization_id = @organization and runs.id = page.latest_run_id
                order by page.created_at desc, page.id desc
                """;

            var rows = await session.Many<Pipeline>(sql, Parameters(organization, filter, after, last, limit + 1), ct);
            var page = Page.Of(rows, limit, pipeline => new Cursor(pipeline.CreatedAt, pipeline.Id));
            return new Page<Pipeline>(await WithTags(session, organization, page.Items, ct), page.Next ?? last);
        }, ct);

    /// <returns>The last pipeline that a filter by status examines; null when it examines all.</returns>
    private async Task<Cursor?> LastExamined(Session session, string organization, PipelineFilter filter, Cursor? after,
        CancellationToken ct)
    {
        var sql = $"""
            -- Pipelines.LastExamined
            select id, created_at
            from pipelines
            where organization_id = @organization {Conditions(filter)}
              {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
            order by created_at desc, id desc
            limit 1 offset {MaxExamined}
            """;

        return await session.One<Position>(sql, Parameters(organization, filter, after, null, 0), ct) is { } last
            ? new Cursor(last.CreatedAt, last.Id) : null;
    }

    /// <summary>Counts the pipelines that the filter selects.</summary>
    public Task<RowCount> Count(string organization, PipelineFilter filter, CancellationToken ct) => db.Read(organization, async session =>
    {
        var last = filter.Statuses is null ? null : await LastExamined(session, organization, filter, null, ct);
        var sql = $"""
            -- Pipelines.Count
            select count(*)
            from (
                select 1
                from pipelines
                where organization_id = @organization {Conditions(filter)} {HasStatus(filter, last)}
                limit {RowCount.Take}
            ) as counted
            """;

        var count = RowCount.Of(await session.One<long>(sql, Parameters(organization, filter, null, last, 0), ct));
        return count with { IsMinimum = count.IsMinimum || last is not null };
    }, ct);

    private string HasStatus(PipelineFilter filter, Cursor? last) => filter.Statuses is null ? "" : $"""
        {(last is null ? "" : "and (created_at, id) >= (@LastAt, @LastId)")} and {db.Dialect.IsAnyOf($"""
            (select runs.status from runs
             where runs.organization_id = @organization and runs.pipeline_id = pipelines.id
             order by {RunSortTimes.Started} desc, runs.id desc
             limit 1)
            """, "@statuses")}
        """;

    private string Conditions(PipelineFilter filter) => $"""
        and {(filter.Deleted ? "deleted_at is not null" : "deleted_at is null")}
        {(filter.Id is null ? "" : "and id = @Only")}
        {(filter.Ids is null ? "" : "and " + db.Dialect.IsAnyOf("id", "@ids"))}
        {(filter.Owner is null ? "" : "and owner = @Owner")}
        {(filter.Environment is null ? "" : "and environment = @Environment")}
        {(filter.Tag is null ? "" : "and exists (select 1 from pipeline_tags as tags where tags.organization_id = @organization and tags.tag = @Tag and tags.pipeline_id = pipelines.id)")}
        {(filter.Search is null ? "" : "and search_key like @Pattern escape '\\'")}
        """;

    private static object Parameters(string organization, PipelineFilter filter, Cursor? after, Cursor? last, int take) => new
    {
        organization,
        Only = filter.Id,
        ids = filter.Ids?.ToArray(),
        filter.Owner,
        filter.Environment,
        filter.Tag,
        statuses = filter.Statuses?.ToArray(),
        Pattern = filter.Search is { } text ? SearchPattern.Contains(SearchPattern.Fold(text)) : null,
        after?.At,
        after?.Id,
        LastAt = last?.At,
        LastId = last?.Id,
        Take = take,
    };

    /// <returns>The current version, or null when the pipeline does not exist or is deleted.</returns>
    public Task<PipelineVersion?> Find(string organization, string id, CancellationToken ct)
    {
        const string Sql = """
            -- Pipelines.Find
            select versions.version, versions.body, versions.created_at, true as current
            from pipelines
            join pipeline_versions as versions
              on versions.organization_id = pipelines.organization_id and versions.pipeline_id = pipelines.id
             and versions.version = pipelines.current_version
            where pipelines.organization_id = @organization and pipelines.id = @id and pipelines.deleted_at is null
            """;

        return db.One<PipelineVersion>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>One page of a pipeline's versions, newest first.</summary>
    /// <returns>The page; empty when the pipeline does not exist or is deleted.</returns>
    public async Task<Page<PipelineVersion>> Versions(string organization, string id, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Pipelines.Versions
            select versions.version, versions.body, versions.created_at, versions.version = pipelines.current_version as current
            from pipelines
            join pipeline_versions as versions
              on versions.organization_id = pipelines.organization_id and versions.pipeline_id = pipelines.id
            where pipelines.organization_id = @organization and pipelines.id = @id and pipelines.deleted_at is null
              {(after is null ? "" : "and (versions.created_at, versions.version) < (@At, @Version)")}
            order by versions.created_at desc, versions.version desc
            limit @Take
            """;

        var rows = await db.Many<PipelineVersion>(
            organization, sql, new { organization, id, after?.At, Version = after?.Id, Take = limit + 1 }, ct);
        return Page.Of(rows, limit, version => new Cursor(version.CreatedAt, version.Version));
    }

    /// <summary>The current body of every pipeline, unchanged, ordered by pipeline id.</summary>
    public Task<List<string>> Export(string organization, CancellationToken ct)
    {
        const string Sql = """
            -- Pipelines.Export
            select versions.body
            from pipelines
            join pipeline_versions as versions
              on versions.organization_id = pipelines.organization_id and versions.pipeline_id = pipelines.id
             and versions.version = pipelines.current_version
            where pipelines.organization_id = @organization and pipelines.deleted_at is null
            order by pipelines.id
            """;

        return db.Many<string>(organization, Sql, new { organization }, ct);
    }

    /// <summary>
    /// Marks a pipeline as deleted, ends its lineage edges and deletes the checks that its body or events define. Runs
    /// and results remain.
    /// </summary>
    /// <returns>False when the pipeline does not exist.</returns>
    public Task<bool> Delete(string organization, string id, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Hide = """
            -- Pipelines.Delete
            update pipelines
            set deleted_at = @now, updated_at = @now
            where organization_id = @organization and id = @id and deleted_at is null
            """;
        const string EndEdges = """
            -- Pipelines.Delete: edges
            update lineage_edges
            set valid_to = case when valid_from > @now then valid_from else @now end
            where organization_id = @organization and pipeline_id = @id and valid_to is null
            """;
        const string DropChecks = """
            -- Pipelines.Delete: checks
            delete from checks
            where organization_id = @organization and pipeline_id = @id and pipeline_version is not null
            """;

        var parameters = new { organization, id, now = entry.OccurredAt };
        if (await session.Execute(Hide, parameters, ct) == 0)
        {
            return false;
        }

        await session.Execute(EndEdges, parameters, ct);
        await session.Execute(DropChecks, parameters, ct);
        await new CheckSchedules(db.Dialect, session, organization).DeleteStale([id], ct);
        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    private async Task<List<Pipeline>> WithTags(Session session, string organization, IReadOnlyList<Pipeline> pipelines,
        CancellationToken ct)
    {
        if (pipelines.Count == 0)
        {
            return [];
        }

        var sql = $"""
            -- Pipelines.Tags
            select pipeline_id, tag
            from {db.Dialect.ByIndex("pipeline_tags", "organization_id = @organization", "pipeline_id", "@ids")}
            order by pipeline_id, tag
            """;

        var tags = (
            await session.Many<PipelineTag>(sql, new { organization, ids = pipelines.Select(pipeline => pipeline.Id).ToArray() }, ct))
            .ToLookup(row => row.PipelineId, row => row.Tag);
        return [.. pipelines.Select(pipeline => pipeline with { Tags = [.. tags[pipeline.Id]] })];
    }

    private sealed record PipelineTag
    {
        public required string PipelineId { get; init; }
        public required string Tag { get; init; }
    }

    private sealed record Position
    {
        public required string Id { get; init; }
        public required DateTimeOffset CreatedAt { get; init; }
    }
}
