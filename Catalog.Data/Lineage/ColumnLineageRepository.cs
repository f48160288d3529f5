using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Reads the lineage of columns, one hop after another.</summary>
public sealed class ColumnLineageRepository(CatalogDatabase db, LineageRepository lineage, LineageBudget budget)
{
    /// <summary>The columns around a column.</summary>
    /// <param name="organization">The organization that owns the graph.</param>
    /// <param name="shownId">The shown id of the dataset, or another name of the dataset.</param>
    /// <param name="column">The column; empty for all columns of the dataset.</param>
    /// <param name="direction">Upstream, downstream or both.</param>
    /// <param name="depth">The maximum number of hops, 0 or more.</param>
    /// <param name="ct">Cancels the query.</param>
    /// <returns>The graph, or null when the dataset does not exist.</returns>
    public async Task<ColumnGraph?> Walk(string organization, string shownId, string column, LineageDirection direction, int depth,
        CancellationToken ct)
    {
        if (await lineage.Find(organization, shownId, ct) is not { } start)
        {
            return null;
        }

        var walk = await db.Read(organization, async session =>
        {
            var walk = new ColumnWalk(new(start.Id, column), budget);
            foreach (var way in new[] { LineageDirection.Upstream, LineageDirection.Downstream }.Where(way => direction.HasFlag(way)))
            {
                walk.Turn();
                for (var hop = 1; hop <= depth && walk.Level.Count > 0 && !walk.IsCut; hop++)
                {
                    walk.AddHop(way, await Edges(session, organization, way, walk.Level, budget.Edges + 1, ct), hop);
                }
            }

            return walk;
        }, ct);
        var datasets = new Dictionary<Guid, Dataset>();
        await new LineageReader(db, organization, null, ct).Datasets(
            walk.Depths.Keys.Select(node => node.Dataset).Distinct(), datasets);
        return new ColumnGraph(datasets, walk.Depths, walk.Edges, walk.IsCut, walk.Frontier);
    }

    // Reads the edges whose dataset and column both occur in the level. They can occur in two different nodes; the walk
    // skips such edges.
    private async Task<List<ColumnEdge>> Edges(Session session, string organization, LineageDirection way,
        IReadOnlyCollection<ColumnNode> level, int most, CancellationToken ct)
    {
        var (near, column) = way == LineageDirection.Upstream ? ("downstream", "downstream_column") : ("upstream", "upstream_column");
        List<ColumnEdge> edges = [];
        // A dataset as a whole stands for all of its columns.
        foreach (var part in level.GroupBy(node => node.Column.Length == 0))
        {
            string[]? columns = part.Key ? null : [.. part.Select(node => node.Column).Append("").Distinct().Order(StringComparer.Ordinal)];
            foreach (var names in columns?.Chunk(db.Dialect.ListLimit / 2) ?? [[]])
            {
                var where = $"organization_id = @organization {(part.Key ? "" : $"and {db.Dialect.IsAnyOf(column, "@names")}")}";
                var sql = $"""
                    -- ColumnLineage.Edges
                    select downstream, downstream_column, upstream, upstream_column, pipeline_id, transformation, first_at, last_at
                    from {db.Dialect.ByIndex("column_edges", where, near, "@ids")}
                    limit @Take
                    """;
                foreach (var ids in part.Select(node => node.Dataset).Distinct().Order().Chunk(db.Dialect.ListLimit / 2)
                    .TakeWhile(_ => edges.Count < most))
                {
                    edges.AddRange(await session.Many<ColumnEdge>(
                        sql, new { organization, ids, names, Take = most - edges.Count }, ct));
                }
            }
        }

        return edges;
    }
}

/// <summary>A column of a dataset.</summary>
/// <param name="Dataset">The dataset.</param>
/// <param name="Column">The column; empty for the dataset as a whole.</param>
public readonly record struct ColumnNode(Guid Dataset, string Column);

/// <summary>An edge between two columns that events report.</summary>
public sealed record ColumnEdge
{
    public required Guid Downstream { get; init; }

    /// <summary>The column; empty for every column, such as for the edge of a filter.</summary>
    public required string DownstreamColumn { get; init; }

    public required Guid Upstream { get; init; }

    /// <summary>The column; empty for the whole dataset.</summary>
    public required string UpstreamColumn { get; init; }

    /// <summary>Empty for an edge that no job reported.</summary>
    public required string PipelineId { get; init; }

    /// <summary>A JSON array, or an empty text.</summary>
    public required string Transformation { get; init; }

    public required DateTimeOffset FirstAt { get; init; }
    public required DateTimeOffset LastAt { get; init; }
}

/// <summary>The columns around a column.</summary>
/// <param name="Datasets">The datasets of all nodes.</param>
/// <param name="Nodes">The columns with their smallest distance in hops.</param>
/// <param name="Edges">The edges between the columns.</param>
/// <param name="Truncated">Whether the budget ended the walk.</param>
/// <param name="Frontier">The columns that may have further edges; empty when the graph is not truncated.</param>
public sealed record ColumnGraph(
    IReadOnlyDictionary<Guid, Dataset> Datasets, IReadOnlyDictionary<ColumnNode, int> Nodes, IReadOnlyList<ColumnEdge> Edges,
    bool Truncated, IReadOnlyCollection<ColumnNode> Frontier);
