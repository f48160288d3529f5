using Catalog.Data.Database;

namespace Catalog.Data.Pipelines;

/// <summary>
/// Reads single versions of a pipeline, and counts what is stored of it. Deleted pipelines are included.
/// </summary>
public sealed class PipelineHistory(CatalogDatabase db)
{
    /// <returns>The version, or null when it does not exist.</returns>
    public Task<PipelineVersion?> Find(string organization, string pipelineId, string version, CancellationToken ct)
    {
        const string Sql = """
            -- PipelineHistory.Find
            select versions.version, versions.body, versions.created_at,
                versions.version = pipelines.current_version and pipelines.deleted_at is null as current
            from pipelines
            join pipeline_versions as versions
              on versions.organization_id = pipelines.organization_id and versions.pipeline_id = pipelines.id and versions.version = @version
            where pipelines.organization_id = @organization and pipelines.id = @pipelineId
            """;

        return db.One<PipelineVersion>(organization, Sql, new { organization, pipelineId, version }, ct);
    }

    /// <returns>The version that was registered before this version; null when this version is the first.</returns>
    public Task<PipelineVersion?> Before(string organization, string pipelineId, PipelineVersion version, CancellationToken ct)
    {
        const string Sql = """
            -- PipelineHistory.Before
            select version, body, created_at, false as current
            from pipeline_versions
            where organization_id = @organization and pipeline_id = @pipelineId and (created_at, version) < (@CreatedAt, @Version)
            order by created_at desc, version desc
            limit 1
            """;

        return db.One<PipelineVersion>(organization, Sql, new { organization, pipelineId, version.CreatedAt, version.Version }, ct);
    }

    /// <summary>Counts what is stored of a pipeline.</summary>
    /// <returns>The counts; null when the pipeline never existed or retention has removed it.</returns>
    public Task<PipelineRemains?> Remains(string organization, string pipelineId, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            static string Count(string table, string key) => $"""
                (select count(*) from (
                    select 1 from {table} where organization_id = @organization and {key} = @pipelineId limit {RowCount.Take}) as counted)
                """;
            var sql = $"""
                -- PipelineHistory.Remains
                select deleted_at,
                    {Count("pipeline_versions", "pipeline_id")} as versions,
                    {Count("runs", "pipeline_id")} as runs,
                    {Count("check_results", "pipeline_id")} as results,
                    {Count("checks", "pipeline_id")} as checks,
                    {Count("check_states", "pipeline_id")} as check_states
                from pipelines
                where organization_id = @organization and id = @pipelineId
                """;

            return await session.One<Counts>(sql, new { organization, pipelineId }, ct) is { } counts
                ? new PipelineRemains(counts.DeletedAt, RowCount.Of(counts.Versions), RowCount.Of(counts.Runs), RowCount.Of(counts.Results),
                    RowCount.Of(counts.Checks), RowCount.Of(counts.CheckStates))
                : null;
        }, ct);

    private sealed record Counts
    {
        public DateTimeOffset? DeletedAt { get; init; }
        public required long Versions { get; init; }
        public required long Runs { get; init; }
        public required long Results { get; init; }
        public required long Checks { get; init; }
        public required long CheckStates { get; init; }
    }
}

/// <summary>What is stored of a pipeline.</summary>
/// <param name="DeletedAt">When the pipeline was deleted; null when it is not deleted.</param>
/// <param name="Versions">The number of its versions.</param>
/// <param name="Runs">The number of its runs.</param>
/// <param name="Results">The number of results of its checks.</param>
/// <param name="Checks">The number of its check definitions.</param>
/// <param name="CheckStates">The number of its checks that have a result.</param>
public sealed record PipelineRemains(
    DateTimeOffset? DeletedAt, RowCount Versions, RowCount Runs, RowCount Results, RowCount Checks, RowCount CheckStates);
