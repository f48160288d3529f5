using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Marquez;

/// <summary>Reads the graph of jobs and datasets around one job or one dataset.</summary>
public sealed class MarquezGraph(CatalogDatabase db, MarquezJobs jobs, MarquezJobDetails jobDetails, MarquezDatasetDetails datasetDetails)
{
    // The number of latest runs of a dataset that are read, to find jobs that read or write the dataset without an
    // edge.
    private const int RunsOfDataset = 20;

    /// <summary>The size limit of a graph.</summary>
    public static LineageBudget Budget { get; } = new(500, 5000);

    /// <summary>The graph around a dataset.</summary>
    public Task<JobGraph> Around(string organization, Dataset dataset, int depth, CancellationToken ct) =>
        Around(organization, [dataset.Id], null, depth, ct);

    /// <summary>The graph around a job. The job's own datasets are part of the graph at any depth.</summary>
    public async Task<JobGraph> Around(string organization, JobRow job, int depth, CancellationToken ct)
    {
        var detail = (await jobDetails.Of(organization, [job], ct))[0];
        return await Around(organization, [.. detail.Inputs.Concat(detail.Outputs).Select(dataset => dataset.Key).Distinct()
            .Take(Budget.Nodes)], job, depth, ct);
    }

    private async Task<JobGraph> Around(string organization, List<Guid> starts, JobRow? start, int depth, CancellationToken ct)
    {
        var reader = new LineageReader(db, organization, null, ct);
        var walk = await Walk(reader, starts, depth);
        var datasets = new Dictionary<Guid, Dataset>();
        await reader.Datasets(walk.Depths.Keys, datasets);
        Guid[] near = [.. walk.Depths.Where(node => node.Value < depth).Select(node => node.Key).Order()];
        var candidates = near.Length == 0 ? [] : await JobsOf(organization, near, ct);

        var ids = candidates.Concat(walk.Edges.Select(edge => edge.PipelineId)).Concat(start is null ? [] : [start.Id])
            .Distinct(StringComparer.Ordinal).ToList();
        var rows = (await jobs.OfIds(organization, ids, ct)).OrderBy(row => row.Id, StringComparer.Ordinal).ToList();
        List<JobDetail> details = [];
        foreach (var chunk in rows.Chunk(MarquezJobDetails.MaxJobs))
        {
            details.AddRange(await jobDetails.Of(organization, chunk, ct));
        }

        var links = Links(walk, details, datasets);
        var linked = links.Select(link => link.PipelineId).Append(start?.Id).ToHashSet(StringComparer.Ordinal);
        return new JobGraph(
            [.. details.Where(detail => linked.Contains(detail.Row.Id))],
            await datasetDetails.Of(organization, [.. datasets.Values], ct),
            [.. links.Where(link => details.Exists(detail => detail.Row.Id == link.PipelineId))]);
    }

    private static async Task<LineageWalk> Walk(LineageReader reader, List<Guid> starts, int depth)
    {
        var walk = new LineageWalk(starts, LineageDirection.Both, Budget);
        for (var hop = 1; hop <= depth && walk.Cut is null && walk.Sides.Any(side => side.Level.Count > 0); hop++)
        {
            foreach (var side in walk.Sides.TakeWhile(_ => walk.Cut is null).Where(side => side.Level.Count > 0))
            {
                var edges = await reader.Neighbours(side, walk.Room);
                walk.AddHop(side, edges, edges.Count <= walk.Room, hop);
            }
        }

        return walk;
    }

    // Every edge of the walk gives two links. Other inputs and outputs of a job give a link only if the dataset is in
    // the graph.
    private static HashSet<GraphLink> Links(LineageWalk walk, List<JobDetail> details, Dictionary<Guid, Dataset> datasets)
    {
        HashSet<GraphLink> links = [];
        foreach (var edge in walk.Edges)
        {
            links.Add(new(edge.PipelineId, edge.Upstream, true));
            links.Add(new(edge.PipelineId, edge.Downstream, false));
        }

        foreach (var detail in details)
        {
            links.UnionWith(detail.Inputs.Where(input => datasets.ContainsKey(input.Key))
                .Select(input => new GraphLink(detail.Row.Id, input.Key, true)));
            links.UnionWith(detail.Outputs.Where(output => datasets.ContainsKey(output.Key))
                .Select(output => new GraphLink(detail.Row.Id, output.Key, false)));
        }

        return links;
    }

    private Task<List<string>> JobsOf(string organization, Guid[] ids, CancellationToken ct)
    {
        string Part(string direction) => $"""
            select runs.pipeline_id
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("run_datasets",
                $"organization_id = @organization and dataset = datasets.id and direction = '{direction}'",
                "last_at desc, run_id desc", $"{RunsOfDataset}")}
            {db.Dialect.JoinByIndex("runs", "organization_id = @organization", "id", "run_datasets.run_id")}
            """;
        var sql = $"""
            -- Marquez.JobsOfDatasets
            select distinct pipeline_id
            from ({Part("input")}
            union all
            {Part("output")}
            union all
            {Part("declared_output")}) as users
            limit {MarquezJobDetails.MaxJobs}
            """;

        return db.Many<string>(organization, sql, new { organization, ids }, ct);
    }
}

/// <summary>A graph of jobs and datasets.</summary>
/// <param name="Jobs">The jobs.</param>
/// <param name="Datasets">The datasets.</param>
/// <param name="Links">Which job reads or writes which dataset.</param>
public sealed record JobGraph(
    IReadOnlyList<JobDetail> Jobs, IReadOnlyList<MarquezDatasetDetail> Datasets, IReadOnlyList<GraphLink> Links);

/// <summary>A link between a job and a dataset that the job reads or writes.</summary>
/// <param name="PipelineId">The job.</param>
/// <param name="Dataset">The dataset.</param>
/// <param name="IsInput">True when the job reads the dataset; false when the job writes it.</param>
public sealed record GraphLink(string PipelineId, Guid Dataset, bool IsInput);
