using System.Data.Common;
using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Reads edges and datasets of one organization within one session.</summary>
/// <param name="Dialect">The engine's SQL.</param>
/// <param name="Session">The session.</param>
/// <param name="Organization">The organization that owns the graph.</param>
/// <param name="At">The time at which the edges are valid; null for the current edges.</param>
/// <param name="Ct">Cancels the statements.</param>
internal sealed record LineageReader(Dialect Dialect, Session Session, string Organization, DateTimeOffset? At, CancellationToken Ct)
{
    /// <summary>The edges of a side's level: all of them when they fit, otherwise the first room + 1 in key order.</summary>
    public async Task<List<LineageEdge>> Neighbours(LineageWalk.Side side, int room)
    {
        List<Guid> level = [.. side.Level.Order()];
        var edges = await Neighbours(side, room, level, ordered: false);
        return edges.Count <= room ? edges : await Neighbours(side, room, level, ordered: true);
    }

    private async Task<List<LineageEdge>> Neighbours(LineageWalk.Side side, int room, List<Guid> level, bool ordered)
    {
        var (near, far) = side.Direction == LineageDirection.Upstream ? ("downstream", "upstream") : ("upstream", "downstream");
        // Current edges have no valid_to. Without that column an index-only scan is enough.
        var sql = $"""
            -- Lineage.Neighbours
            select upstream, downstream, pipeline_id, valid_from{(At is null ? "" : ", valid_to")}
            from {Dialect.ByIndex("lineage_edges", $"organization_id = @organization and {ValidAt(At, "")}", near, "@ids")}
            {(ordered ? $"order by {near}, {far}, pipeline_id, valid_from" : "")}
            limit @limit
            """;

        List<LineageEdge> edges = [];
        foreach (var ids in level.Chunk(Dialect.ListLimit).TakeWhile(_ => edges.Count <= room))
        {
            var parameters = new { organization = Organization, ids, at = At, limit = room + 1L - edges.Count };
            await Session.Each(sql, parameters, row => edges.Add(Edge(row, 0, At)), Ct);
        }

        return edges;
    }

    /// <summary>Adds the datasets with these ids; unknown ones are left out.</summary>
    public async Task Datasets(IEnumerable<Guid> ids, Dictionary<Guid, Dataset> datasets)
    {
        var sql = $"""
            -- Lineage.Datasets
            select id, namespace, name, created_at
            from {Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            """;

        foreach (var chunk in ids.Order().Chunk(Dialect.ListLimit).ToList())
        {
            await Session.Each(sql, new { organization = Organization, ids = chunk }, row =>
            {
                var dataset = Dataset(row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3));
                datasets.Add(dataset.Id, dataset);
            }, Ct);
        }
    }

    /// <summary>The dataset behind another name; null when no dataset has it.</summary>
    public Task<Guid?> OfAlias(Guid alias)
    {
        const string Sql = """
            -- Lineage.OfAlias
            select dataset
            from dataset_aliases
            where organization_id = @organization and alias = @alias
            """;

        return Session.One<Guid?>(Sql, new { organization = Organization, alias }, Ct);
    }

    public static string ValidAt(DateTimeOffset? at, string edges) =>
        at is null ? $"{edges}valid_to is null" : $"{edges}valid_from <= @at and ({edges}valid_to is null or {edges}valid_to > @at)";

    public static LineageEdge Edge(DbDataReader row, int first, DateTimeOffset? at) => new()
    {
        Upstream = row.GetGuid(first),
        Downstream = row.GetGuid(first + 1),
        PipelineId = row.GetString(first + 2),
        ValidFrom = row.GetFieldValue<DateTimeOffset>(first + 3),
        ValidTo = at is null || row.IsDBNull(first + 4) ? null : row.GetFieldValue<DateTimeOffset>(first + 4),
    };

    public static Dataset Dataset(Guid id, string ns, string name, DateTimeOffset createdAt) =>
        new() { Id = id, Namespace = ns, Name = name, CreatedAt = createdAt };
}
