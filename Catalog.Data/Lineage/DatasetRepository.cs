using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>
/// Reads datasets, and the pipelines that write or read them. <see cref="LineageRepository"/> reads the graph between
/// datasets.
/// </summary>
public sealed class DatasetRepository(CatalogDatabase db)
{
    /// <summary>The maximum number of pipelines that one call reads; more are left out.</summary>
    public const int MaxPipelines = 1000;

    /// <summary>The maximum number of datasets of a pipeline from which the walk for its impact starts.</summary>
    public const int MaxOutputs = 1000;

    /// <summary>
    /// The ids of the datasets that a pipeline writes, by its current edges. At most <see cref="MaxOutputs"/> + 1 ids,
    /// so that the caller sees whether there are too many.
    /// </summary>
    public Task<List<Guid>> Outputs(string organization, string pipelineId, CancellationToken ct)
    {
        const string Sql = """
            -- Datasets.Outputs
            select distinct downstream
            from lineage_edges
            where organization_id = @organization and pipeline_id = @pipelineId and valid_to is null
            order by downstream
            limit @Take
            """;

        return db.Many<Guid>(organization, Sql, new { organization, pipelineId, Take = MaxOutputs + 1 }, ct);
    }

    /// <summary>
    /// The current edges of a pipeline with their datasets, all of which have the depth 0; at most
    /// <paramref name="limit"/> edges.
    /// </summary>
    public Task<LineageGraph> OfPipeline(string organization, string pipelineId, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            const string Edges = """
                -- Datasets.OfPipeline
                select upstream, downstream, pipeline_id, valid_from
                from lineage_edges
                where organization_id = @organization and pipeline_id = @pipelineId and valid_to is null
                limit @Take
                """;
            var datasets = $"""
                -- Datasets.OfPipeline: datasets
                select id, namespace, name, created_at
                from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
                """;

            var edges = await session.Many<LineageEdge>(Edges, new { organization, pipelineId, Take = limit + 1 }, ct);
            var drawn = edges.Take(limit).OrderBy(edge => edge.Upstream).ThenBy(edge => edge.Downstream).ToList();
            List<Dataset> found = [];
            var ends = drawn.SelectMany(edge => new[] { edge.Upstream, edge.Downstream }).Distinct().Order();
            foreach (var ids in ends.Chunk(db.Dialect.ListLimit))
            {
                found.AddRange(await session.Many<Dataset>(datasets, new { organization, ids }, ct));
            }

            return new LineageGraph(
                [.. found.OrderBy(dataset => dataset.DisplayId, StringComparer.Ordinal).Select(dataset => (dataset, 0))], drawn,
                edges.Count > limit, []);
        }, ct);

    /// <summary>One page of datasets, newest first.</summary>
    /// <param name="organization">The organization that owns the datasets.</param>
    /// <param name="ns">Only datasets in this namespace; empty for datasets without a namespace, null for all.</param>
    /// <param name="after">The end of the previous page; null for the first page.</param>
    /// <param name="limit">The maximum number of datasets.</param>
    /// <param name="ct">Cancels the query.</param>
    public async Task<Page<Dataset>> List(string organization, string? ns, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.List
            select id, namespace, name, created_at
            from datasets
            where organization_id = @organization
              {(ns is null ? "" : "and namespace = @ns")}
              {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
            order by created_at desc, id desc
            limit @Take
            """;

        // An id that is not a UUID counts as the smallest UUID. The page then starts after all datasets of that time.
        var id = after is { } cursor && Guid.TryParse(cursor.Id, out var known) ? known : Guid.Empty;
        var rows = await db.Many<Dataset>(organization, sql, new
        {
            organization,
            ns,
            after?.At,
            Id = id,
            Take = limit + 1,
        }, ct);
        return Page.Of(rows, limit, dataset => new Cursor(dataset.CreatedAt, dataset.Id.ToString()));
    }

    /// <summary>Counts the datasets that <see cref="List"/> lists.</summary>
    public async Task<RowCount> Count(string organization, string? ns, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.Count
            select count(*)
            from (
                select 1
                from datasets
                where organization_id = @organization {(ns is null ? "" : "and namespace = @ns")}
                limit {RowCount.Take}
            ) as counted
            """;

        return RowCount.Of(await db.One<long>(organization, sql, new { organization, ns }, ct));
    }

    /// <summary>
    /// The pipelines that write a dataset (producers) and those that read it (consumers), by the current edges, ordered
    /// by id.
    /// </summary>
    public Task<(List<LineagePipeline> Producers, List<LineagePipeline> Consumers)> Pipelines(
        string organization, Guid dataset, CancellationToken ct) =>
        db.Read(organization, async session =>
            (await PipelinesWith(session, organization, "downstream", dataset, ct),
                await PipelinesWith(session, organization, "upstream", dataset, ct)), ct);

    private static Task<List<LineagePipeline>> PipelinesWith(Session session, string organization, string side, Guid dataset,
        CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.Pipelines
            select pipelines.id, pipelines.owner
            from pipelines
            where pipelines.organization_id = @organization and pipelines.id in (
                select pipeline_id
                from lineage_edges
                where organization_id = @organization and {side} = @dataset and valid_to is null)
            order by pipelines.id
            limit @MaxPipelines
            """;

        return session.Many<LineagePipeline>(sql, new { organization, dataset, MaxPipelines }, ct);
    }

    /// <summary>
    /// The pipelines with these ids and their owners, ordered by id; deleted and unknown pipelines are left out.
    /// </summary>
    public Task<List<LineagePipeline>> Owners(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        // deleted_at is tested outside the look-up. Inside it, a planner without statistics may use the index of all
        // pipelines that are not deleted.
        var sql = $"""
            -- Datasets.Owners
            select id, owner
            from {db.Dialect.ByIndex("pipelines", "organization_id = @organization", "id", "@ids")}
            where deleted_at is null
            order by id
            """;

        return db.Many<LineagePipeline>(organization, sql, new { organization, ids = pipelines.Take(MaxPipelines).ToArray() }, ct);
    }

    /// <summary>The distinct tags of these pipelines, sorted.</summary>
    public Task<List<string>> Tags(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.Tags
            select distinct tag
            from {db.Dialect.ByIndex("pipeline_tags", "organization_id = @organization", "pipeline_id", "@ids")}
            order by tag
            """;

        return db.Many<string>(organization, sql, new { organization, ids = pipelines.ToArray() }, ct);
    }
}
