using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>
/// Reads what a drawing of the graph shows about its datasets. Each method runs one statement for all datasets.
/// </summary>
public sealed class DatasetSummaries(CatalogDatabase db)
{
    /// <summary>The maximum number of datasets in one call.</summary>
    public const int MaxDatasets = 500;

    /// <summary>The maximum number of neighbours of a dataset that are counted in each direction.</summary>
    public const int MaxNeighbours = 1000;

    // The maximum number of edges of a dataset that are read to find its producers. Most datasets have one producer.
    private const int EdgesOfProducers = 100;
    private const int MaxCheckStates = 20_000;

    /// <summary>The number of datasets directly upstream and downstream of each dataset.</summary>
    /// <param name="organization">The organization that owns the graph.</param>
    /// <param name="datasets">The datasets. Only the first <see cref="MaxDatasets"/> are read.</param>
    /// <param name="at">The time at which the edges are valid; null for the current edges.</param>
    /// <param name="ct">Cancels the query.</param>
    public async Task<IReadOnlyDictionary<Guid, NeighbourCounts>> Neighbours(
        string organization, IReadOnlyList<Guid> datasets, DateTimeOffset? at, CancellationToken ct)
    {
        string Count(string near, string far) => $"""
            (select count(*) from (
                select distinct {far}
                from lineage_edges as edges
                where edges.organization_id = @organization and edges.{near} = datasets.id and {LineageReader.ValidAt(at, "edges.")}
                limit {MaxNeighbours}) as counted)
            """;
        var sql = $"""
            -- DatasetSummaries.Neighbours
            select id as dataset, {Count("downstream", "upstream")} as upstream, {Count("upstream", "downstream")} as downstream
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            """;

        var rows = await db.Many<NeighbourCounts>(
            organization, sql, new { organization, ids = datasets.Take(MaxDatasets).ToArray(), at }, ct);
        return rows.ToDictionary(row => row.Dataset);
    }

    /// <summary>The pipelines that write each dataset, by the current edges.</summary>
    /// <param name="organization">The organization that owns the graph.</param>
    /// <param name="datasets">The datasets. Only the first <see cref="MaxDatasets"/> are read.</param>
    /// <param name="ct">Cancels the query.</param>
    public async Task<ILookup<Guid, string>> Producers(string organization, IReadOnlyList<Guid> datasets, CancellationToken ct)
    {
        var edges = db.Dialect.JoinFirst(
            "lineage_edges", "organization_id = @organization and downstream = datasets.id and valid_to is null",
            "downstream, upstream, pipeline_id, valid_from", $"{EdgesOfProducers}");
        var sql = $"""
            -- DatasetSummaries.Producers
            select distinct datasets.id as dataset, lineage_edges.pipeline_id
            from {db.Dialect.Keys("datasets", "organization_id = @organization", "id", "@ids")}
            {edges}
            """;

        var rows = await db.Many<ProducerRow>(organization, sql, new { organization, ids = datasets.Take(MaxDatasets).ToArray() }, ct);
        return rows.OrderBy(row => row.PipelineId, StringComparer.Ordinal).ToLookup(row => row.Dataset, row => row.PipelineId);
    }

    /// <summary>The number of checks of these pipelines by dataset and by the status of their latest result.</summary>
    /// <param name="organization">The organization that owns the checks.</param>
    /// <param name="pipelines">The pipelines. Only the first <see cref="MaxDatasets"/> are read.</param>
    /// <param name="ct">Cancels the query.</param>
    public async Task<ILookup<string, CheckCount>> Checks(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- DatasetSummaries.Checks
            select dataset, status, cast(count(*) as bigint) as count
            from (
                select dataset, status
                from {db.Dialect.ByIndex("check_states", "organization_id = @organization and dataset is not null", "pipeline_id", "@ids")}
                limit {MaxCheckStates}) as states
            group by dataset, status
            """;

        var rows = await db.Many<CheckCount>(organization, sql, new { organization, ids = pipelines.Take(MaxDatasets).ToArray() }, ct);
        return rows.ToLookup(row => row.Dataset, StringComparer.Ordinal);
    }

    private sealed record ProducerRow
    {
        public required Guid Dataset { get; init; }
        public required string PipelineId { get; init; }
    }
}

/// <summary>How many datasets are next to a dataset; each number is at most <see cref="DatasetSummaries.MaxNeighbours"/>.</summary>
public sealed record NeighbourCounts
{
    public required Guid Dataset { get; init; }
    public required long Upstream { get; init; }
    public required long Downstream { get; init; }
}

/// <summary>The number of checks of a dataset whose latest result has the same status.</summary>
public sealed record CheckCount
{
    /// <summary>The shown id of the dataset, as the results name it.</summary>
    public required string Dataset { get; init; }

    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    public required long Count { get; init; }
}
