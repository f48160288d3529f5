using System.Data.Common;
using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>
/// Reads edges and datasets of one organization. A long list of ids is read as two halves at the same time, on two
/// connections, because the server runs one statement on one core.
/// </summary>
/// <param name="Db">The database.</param>
/// <param name="Organization">The organization that owns the graph.</param>
/// <param name="At">The time at which the edges are valid; null for the current edges.</param>
/// <param name="Ct">Cancels the statements.</param>
internal sealed record LineageReader(CatalogDatabase Db, string Organization, DateTimeOffset? At, CancellationToken Ct)
{
    // The look-ups of a shorter list take less than a millisecond.
    private const int MinHalf = 200;

    /// <summary>
    /// The edges of a side's level. If there are more than <paramref name="room"/> edges, at least the first room + 1
    /// edges in key order.
    /// </summary>
    public async Task<List<LineageEdge>> Neighbours(LineageWalk.Side side, int room)
    {
        List<Guid> level = [.. side.Level.Order()];
        var edges = await Neighbours(side, room, level, ordered: false);
        return edges.Count <= room ? edges : await Neighbours(side, room, level, ordered: true);
    }

    private Task<List<LineageEdge>> Neighbours(LineageWalk.Side side, int room, List<Guid> level, bool ordered)
    {
        var (near, far) = side.Direction == LineageDirection.Upstream ? ("downstream", "upstream") : ("upstream", "downstream");
        // Current edges have no valid_to. Without that column an index-only scan is enough.
        var sql = $"""
            -- Lineage.Neighbours
            select upstream, downstream, pipeline_id, valid_from{(At is null ? "" : ", valid_to")}
            from {Db.Dialect.ByIndex("lineage_edges", $"organization_id = @organization and {ValidAt(At, "")}", near, "@ids")}
            {(ordered ? $"order by {near}, {far}, pipeline_id, valid_from" : "")}
            limit @limit
            """;

        return OfIds(sql, level, row => Edge(row, 0, At), room + 1);
    }

    /// <summary>Adds the datasets with these ids; unknown ids are left out.</summary>
    public async Task Datasets(IEnumerable<Guid> ids, Dictionary<Guid, Dataset> datasets)
    {
        foreach (var dataset in await OfIds(DatasetsSql, [.. ids.Order()], Dataset))
        {
            datasets.Add(dataset.Id, dataset);
        }
    }

    /// <summary>Reads the datasets with these ids on one connection; unknown ids are left out.</summary>
    public Task<List<Dataset>> Datasets(IEnumerable<Guid> ids) => Part(DatasetsSql, [.. ids.Order()], Dataset, int.MaxValue);

    private string DatasetsSql => $"""
        -- Lineage.Datasets
        select id, namespace, name, created_at
        from {Db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
        """;

    /// <summary>The rows of a statement that looks up each of <c>@ids</c>.</summary>
    /// <param name="sql">The statement. It may use <c>@limit</c>, <c>@at</c> and <c>@organization</c>.</param>
    /// <param name="ids">The sorted ids. The rows of the first half of the ids come first.</param>
    /// <param name="read">Reads a row.</param>
    /// <param name="limit">The maximum number of rows; if the ids are read as two halves, for each half.</param>
    public async Task<List<T>> OfIds<T>(string sql, List<Guid> ids, Func<DbDataReader, T> read, int limit = int.MaxValue)
    {
        if (ids.Count < 2 * MinHalf)
        {
            return await Part(sql, ids, read, limit);
        }

        var half = ids.Count / 2;
        var halves = await Task.WhenAll(Part(sql, ids[..half], read, limit), Part(sql, ids[half..], read, limit));
        halves[0].AddRange(halves[1]);
        return halves[0];
    }

    private async Task<List<T>> Part<T>(string sql, List<Guid> ids, Func<DbDataReader, T> read, int limit)
    {
        List<T> rows = [];
        foreach (var chunk in ids.Chunk(Db.Dialect.ListLimit).TakeWhile(_ => rows.Count < limit))
        {
            var parameters = new { organization = Organization, ids = chunk, at = At, limit = (long)limit - rows.Count };
            rows.AddRange(await Db.Many(Organization, sql, parameters, read, Ct));
        }

        return rows;
    }

    /// <summary>The key of the dataset that has this other name; null when no dataset has it.</summary>
    public Task<Guid?> OfAlias(Guid alias)
    {
        const string Sql = """
            -- Lineage.OfAlias
            select dataset
            from dataset_aliases
            where organization_id = @organization and alias = @alias
            """;

        return Db.One<Guid?>(Organization, Sql, new { organization = Organization, alias }, Ct);
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

    public static Dataset Dataset(DbDataReader row) =>
        Dataset(row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3));

    public static Dataset Dataset(Guid id, string ns, string name, DateTimeOffset createdAt) =>
        new() { Id = id, Namespace = ns, Name = name, CreatedAt = createdAt };
}
