using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Marquez;

/// <summary>Finds datasets for Marquez's API. Lists the writes of a dataset, which are its versions.</summary>
public sealed class MarquezDatasets(CatalogDatabase db)
{
    /// <summary>The number of newest datasets of the organization that a list looks at.</summary>
    public const int MaxExamined = MarquezJobs.MaxExamined;

    /// <summary>
    /// One page of the datasets of a namespace, ordered by name, and the number of all its datasets. Only the newest
    /// <see cref="MaxExamined"/> datasets of the organization are examined.
    /// </summary>
    public Task<(List<Dataset> Datasets, long Total)> List(string organization, string @namespace, int limit, int offset,
        CancellationToken ct)
    {
        var isDefault = @namespace == NodeName.DefaultNamespace;
        var from = $"""
            from (
                select id, namespace, name, created_at
                from datasets
                where organization_id = @organization
                order by created_at desc, id desc
                limit {MaxExamined}) as newest
            where namespace = @namespace {(isDefault ? "or namespace = ''" : "")}
            """;
        var rows = $"""
            -- Marquez.Datasets
            select id, namespace, name, created_at
            {from}
            order by name, namespace
            limit @limit offset @offset
            """;
        var count = $"""
            -- Marquez.CountDatasets
            select count(*)
            {from}
            """;

        var parameters = new { organization, @namespace, limit, offset };
        return db.Read(organization, async session =>
            (await session.Many<Dataset>(rows, parameters, ct), await session.One<long>(count, parameters, ct)), ct);
    }

    /// <summary>
    /// Tries the names in order. Returns the first dataset found; null when no dataset has one of the names.
    /// </summary>
    public async Task<Dataset?> Find(string organization, IEnumerable<NodeName> names, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.FindDatasets
            select datasets.id as asked, datasets.id, datasets.namespace, datasets.name, datasets.created_at
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@keys")}
            union all
            select dataset_aliases.alias, datasets.id, datasets.namespace, datasets.name, datasets.created_at
            from {db.Dialect.ByIndex("dataset_aliases", "organization_id = @organization", "alias", "@keys")}
            {db.Dialect.JoinByIndex("datasets", "organization_id = @organization", "id", "dataset_aliases.dataset")}
            """;

        List<Guid> keys = [.. names.SelectMany(name => name.DatasetKeys).Distinct()];
        return (await db.Many<AskedDataset>(organization, sql, new { organization, keys = keys.ToArray() }, ct))
            .OrderBy(found => keys.IndexOf(found.Asked))
            .Select(found => new Dataset { Id = found.Id, Namespace = found.Namespace, Name = found.Name, CreatedAt = found.CreatedAt })
            .FirstOrDefault();
    }

    /// <summary>
    /// One page of the writes of a dataset, newest first, and the number of all its writes. At most
    /// <see cref="MaxExamined"/> reported writes and as many declared writes are counted.
    /// </summary>
    public Task<(List<DatasetWrite> Writes, long Total)> Writes(string organization, Guid dataset, int limit, int offset,
        CancellationToken ct)
    {
        static string Part(string direction, string columns, string order, string take) => $"""
            select * from (
                select {columns}
                from run_datasets
                where organization_id = @organization and dataset = @dataset and direction = '{direction}'
                {order}
                limit {take}) as {direction}s
            """;
        static string Both(string columns, string order, string take) =>
            $"{Part("output", columns, order, take)}\nunion all\n{Part("declared_output", columns, order, take)}";
        const string Order = "order by last_at desc, run_id desc";
        var rows = $"""
            -- Marquez.Writes
            select run_id, at, row_count, byte_count, file_count
            from ({Both("run_id, last_at as at, last_at, row_count, byte_count, file_count", Order, "@Take")}) as writes
            {Order}
            limit @limit offset @offset
            """;
        var count = $"""
            -- Marquez.CountWrites
            select count(*)
            from ({Both("run_id", "", "@MaxExamined")}) as writes
            """;

        var parameters = new { organization, dataset, limit, offset, MaxExamined, Take = limit + offset };
        return db.Read(organization, async session =>
            (await session.Many<DatasetWrite>(rows, parameters, ct), await session.One<long>(count, parameters, ct)), ct);
    }

    /// <summary>
    /// The schemas and the changes of the lifecycle state of a dataset, by the time of their first report, newest
    /// first.
    /// </summary>
    public Task<List<FacetValue>> History(string organization, Guid dataset, CancellationToken ct) =>
        db.Read(organization, session => MarquezFacets.History(session, organization, dataset, ct), ct);

    private sealed record AskedDataset
    {
        public required Guid Asked { get; init; }
        public required Guid Id { get; init; }
        public required string Namespace { get; init; }
        public required string Name { get; init; }
        public required DateTimeOffset CreatedAt { get; init; }
    }
}
