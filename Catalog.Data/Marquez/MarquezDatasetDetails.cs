using Catalog.Data.Database;
using Catalog.Data.Events;
using Catalog.Data.Lineage;

namespace Catalog.Data.Marquez;

/// <summary>
/// Reads what Marquez's API says about datasets. The number of statements does not depend on the number of datasets.
/// </summary>
public sealed class MarquezDatasetDetails(CatalogDatabase db)
{
    /// <summary>
    /// The maximum number of edges to the columns of one dataset. The edges are read in the order of columns.
    /// </summary>
    public const int MaxColumnEdges = 200;

    // The index of check states by dataset contains only names with at most this number of characters.
    private const int MaxName = 500;
    private const int MaxStates = 5000;

    /// <summary>The datasets with their facets, columns, checks and last writes, in the same order.</summary>
    public async Task<List<MarquezDatasetDetail>> Of(string organization, IReadOnlyList<Dataset> datasets, CancellationToken ct)
    {
        Guid[] keys = [.. datasets.Select(dataset => dataset.Id).Distinct().Order()];
        if (keys.Length == 0)
        {
            return [];
        }

        var (facets, writes, columns, states, metrics) = await db.Read(organization, async session =>
        {
            List<LastWrite> writes = [];
            List<ColumnEdge> columns = [];
            foreach (var ids in keys.Chunk(db.Dialect.ListLimit))
            {
                writes.AddRange(await LastWrites(session, organization, ids, ct));
                columns.AddRange(await Columns(session, organization, ids, ct));
            }

            return (
                await MarquezFacets.Current(
                    session, db.Dialect, organization, FacetSubject.Dataset, keys.Select(key => key.ToString()), ct),
                writes.ToLookup(write => write.Dataset), columns.ToLookup(edge => edge.Downstream),
                (await States(session, organization, datasets, ct)).ToLookup(state => state.Dataset, StringComparer.Ordinal),
                datasets.Count == 1 ? await MarquezFacets.Metrics(session, organization, keys[0], ct) : null);
        }, ct);
        var sources = new Dictionary<Guid, Dataset>();
        await new LineageReader(db, organization, null, ct).Datasets(
            columns.SelectMany(edges => edges).Select(edge => edge.Upstream).Distinct(), sources);
        return
        [
            .. datasets.Select(dataset => new MarquezDatasetDetail
            {
                Dataset = dataset,
                Facets = [.. facets[dataset.Id.ToString()]],
                Metrics = metrics == "null" ? null : metrics,
                Columns =
                [
                    .. columns[dataset.Id].Where(edge => sources.ContainsKey(edge.Upstream))
                        .Select(edge => (edge, NodeName.Of(sources[edge.Upstream]))),
                ],
                LastWrite = writes[dataset.Id].OrderByDescending(write => write.At).FirstOrDefault(),
                States = [.. states[dataset.DisplayId].OrderBy(state => state.CheckId, StringComparer.Ordinal)],
            }),
        ];
    }

    private Task<List<LastWrite>> LastWrites(Session session, string organization, Guid[] ids, CancellationToken ct)
    {
        string Part(string direction) => $"""
            select run_datasets.dataset, run_datasets.run_id, run_datasets.last_at as at
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("run_datasets",
                $"organization_id = @organization and dataset = datasets.id and direction = '{direction}'",
                "last_at desc, run_id desc", "1")}
            """;
        var sql = $"""
            -- Marquez.LastWrites
            {Part("output")}
            union all
            {Part("declared_output")}
            """;

        return session.Many<LastWrite>(sql, new { organization, ids }, ct);
    }

    private Task<List<ColumnEdge>> Columns(Session session, string organization, Guid[] ids, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.ColumnEdges
            select column_edges.downstream, column_edges.downstream_column, column_edges.upstream, column_edges.upstream_column,
                   column_edges.pipeline_id, column_edges.transformation, column_edges.first_at, column_edges.last_at
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("column_edges", "organization_id = @organization and downstream = datasets.id and downstream_column > ''",
                "downstream_column, upstream, upstream_column, pipeline_id", $"{MaxColumnEdges}")}
            where column_edges.upstream_column > ''
            """;

        return session.Many<ColumnEdge>(sql, new { organization, ids }, ct);
    }

    private async Task<List<CheckOfDataset>> States(Session session, string organization, IEnumerable<Dataset> datasets,
        CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.States
            select check_states.dataset, check_states.check_id, check_states.status, check_states.severity, check_results.metadata
            from {db.Dialect.ByIndex("check_states",
                $"organization_id = @organization and length(dataset) < {MaxName + 1}", "dataset", "@ids")}
            {db.Dialect.JoinByIndex("check_results", "organization_id = @organization", "id", "check_states.result_id")}
            limit {MaxStates}
            """;

        List<CheckOfDataset> states = [];
        foreach (var ids in datasets.Select(dataset => dataset.DisplayId).Where(id => id.Length <= MaxName).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).Chunk(db.Dialect.ListLimit))
        {
            states.AddRange(await session.Many<CheckOfDataset>(sql, new { organization, ids }, ct));
        }

        return states;
    }
}

/// <summary>A dataset with all that Marquez's API says about it.</summary>
public sealed record MarquezDatasetDetail
{
    public required Dataset Dataset { get; init; }
    public required IReadOnlyList<CurrentFacet> Facets { get; init; }

    /// <summary>
    /// The latest quality metrics; null when none are known, or when several datasets were asked for.
    /// </summary>
    public string? Metrics { get; init; }

    /// <summary>The edges to the columns of the dataset, with the names of their source datasets.</summary>
    public required IReadOnlyList<(ColumnEdge Edge, NodeName Source)> Columns { get; init; }

    public LastWrite? LastWrite { get; init; }

    /// <summary>The latest result of each check, sorted by check.</summary>
    public required IReadOnlyList<CheckOfDataset> States { get; init; }
}

/// <summary>The last run that wrote a dataset.</summary>
public sealed record LastWrite
{
    public required Guid Dataset { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset At { get; init; }
}

/// <summary>The latest result of a check of a dataset.</summary>
public sealed record CheckOfDataset
{
    /// <summary>The dataset's shown id.</summary>
    public required string Dataset { get; init; }

    public required string CheckId { get; init; }

    /// <summary>A word of CheckStatus.</summary>
    public required string Status { get; init; }

    public required string Severity { get; init; }

    /// <summary>
    /// The metadata of the result as JSON. For a reported assertion it contains <c>assertion</c> and <c>column</c>.
    /// </summary>
    public string? Metadata { get; init; }
}
