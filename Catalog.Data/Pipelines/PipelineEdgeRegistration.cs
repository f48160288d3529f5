using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Pipelines;

/// <summary>Updates the lineage edges of pipelines, inside the transaction of their registration.</summary>
internal sealed class PipelineEdgeRegistration(Dialect dialect, Session session, string organization)
{
    private static readonly InputRows<Dataset> Datasets = new(
        new Column<Dataset, Guid>("id", dataset => dataset.Id),
        new Column<Dataset, string>("name", dataset => dataset.Name),
        new Column<Dataset, DateTimeOffset>("created_at", dataset => dataset.CreatedAt));

    private static readonly InputRows<Edge> Edges = new(
        new Column<Edge, string>("pipeline_id", edge => edge.PipelineId),
        new Column<Edge, Guid>("upstream", edge => edge.Upstream),
        new Column<Edge, Guid>("downstream", edge => edge.Downstream),
        new Column<Edge, DateTimeOffset>("valid_from", edge => edge.ValidFrom),
        new Column<Edge, DateTimeOffset?>("valid_to", edge => edge.ValidTo));

    private sealed record Dataset(Guid Id, string Name, DateTimeOffset CreatedAt);

    private sealed record Edge
    {
        public required string PipelineId { get; init; }
        public required Guid Upstream { get; init; }
        public required Guid Downstream { get; init; }
        public required DateTimeOffset ValidFrom { get; init; }
        public DateTimeOffset? ValidTo { get; init; }

        public (string, Guid, Guid) Key => (PipelineId, Upstream, Downstream);
    }

    /// <summary>
    /// Ends the current edges that the new versions do not declare, and inserts the edges that are new in them.
    /// </summary>
    public async Task Replace(List<NewPipeline> pipelines, DateTimeOffset now, CancellationToken ct)
    {
        var wanted = pipelines.SelectMany(pipeline => pipeline.Edges.Select(edge => new Edge
        {
            PipelineId = pipeline.Id,
            Upstream = DatasetId.Of(edge.From),
            Downstream = DatasetId.Of(edge.To),
            ValidFrom = now,
        })).DistinctBy(edge => edge.Key).ToDictionary(edge => edge.Key);
        var open = (await Open(pipelines, ct)).ToDictionary(edge => edge.Key);

        await InsertDatasets([.. pipelines.SelectMany(pipeline => pipeline.Edges).SelectMany(edge => new[] { edge.From, edge.To })
            .Distinct(StringComparer.Ordinal).Select(name => new Dataset(DatasetId.Of(name), name, now)).OrderBy(dataset => dataset.Id)],
                ct);
        // valid_to must not be before valid_from, even when the clock was set back.
        await End([.. open.Values.Where(edge => !wanted.ContainsKey(edge.Key))
            .Select(edge => edge with { ValidTo = now > edge.ValidFrom ? now : edge.ValidFrom })], ct);
        await Insert([.. wanted.Values.Where(edge => !open.ContainsKey(edge.Key))], ct);
    }

    private async Task<List<Edge>> Open(List<NewPipeline> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- PipelineEdgeRegistration.Open
            select pipeline_id, upstream, downstream, valid_from
            from lineage_edges
            where organization_id = @organization and {dialect.IsAnyOf("pipeline_id", "@ids")} and valid_to is null
            """;

        return pipelines.Count == 0
            ? []
            : await session.Many<Edge>(sql, new { organization, ids = pipelines.Select(pipeline => pipeline.Id).ToArray() }, ct);
    }

    private Task InsertDatasets(List<Dataset> datasets, CancellationToken ct)
    {
        const string Sql = """
            -- PipelineEdgeRegistration.InsertDatasets
            insert into datasets (organization_id, id, namespace, name, created_at)
            select @organization, rows.id, '', rows.name, rows.created_at
            from rows
            where true
            on conflict (organization_id, id) do nothing
            """;

        return session.Run<Dataset, int>(Sql, Datasets, datasets, ct);
    }

    private Task End(List<Edge> edges, CancellationToken ct)
    {
        const string Sql = """
            -- PipelineEdgeRegistration.End
            update lineage_edges
            set valid_to = rows.valid_to
            from rows
            where lineage_edges.organization_id = @organization and lineage_edges.pipeline_id = rows.pipeline_id
              and lineage_edges.upstream = rows.upstream and lineage_edges.downstream = rows.downstream
              and lineage_edges.valid_from = rows.valid_from
            """;

        return session.Run<Edge, int>(Sql, Edges, edges, ct);
    }

    private Task Insert(List<Edge> edges, CancellationToken ct)
    {
        const string Sql = """
            -- PipelineEdgeRegistration.Insert
            insert into lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from)
            select @organization, rows.upstream, rows.downstream, rows.pipeline_id, rows.valid_from
            from rows
            where true
            on conflict (organization_id, upstream, downstream, pipeline_id, valid_from) do update set valid_to = null
            """;

        return session.Run<Edge, int>(Sql, Edges, edges, ct);
    }
}
