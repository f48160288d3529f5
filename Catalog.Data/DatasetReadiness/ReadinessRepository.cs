using Catalog.Data.Database;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Data.DatasetReadiness;

/// <summary>
/// Reads the facts that <see cref="ReadinessRules"/> judges, about a dataset and its upstream datasets. One statement
/// reads each kind of fact for all these datasets.
/// </summary>
public sealed class ReadinessRepository(
    CatalogDatabase db, LineageRepository lineage, PipelineRuns pipelineRuns, LineageBudget budget)
{
    /// <summary>The size limit of the upstream graph.</summary>
    public static LineageBudget DefaultBudget { get; } = new(2000, 20_000);

    /// <summary>
    /// The maximum number of last writes of a dataset that are read for each direction: output and declared_output.
    /// </summary>
    public const int Writes = 20;

    /// <summary>The maximum number of last runs of a pipeline that are read.</summary>
    public const int RunsOfPipeline = 5;

    private const int MaxChecks = 20_000;

    // Longer names are not in the index, because an index row of Postgres has at most 2,704 bytes.
    private const int MaxName = 500;
    private const int PipelinesOfChunk = 500;

    /// <summary>Judges a dataset.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="shownId">The shown id of the dataset.</param>
    /// <param name="depth">The number of hops upstream that are judged too.</param>
    /// <param name="asOf">The time for which the data must be fresh; null for the current time.</param>
    /// <param name="now">The current time.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The readiness, or null when the dataset does not exist.</returns>
    public async Task<Readiness?> Find(string organization, string shownId, int depth, DateTimeOffset? asOf, DateTimeOffset now,
        CancellationToken ct)
    {
        if (await lineage.Within(budget).Upstream(organization, shownId, depth, ct) is not { } graph)
        {
            return null;
        }

        var judged = graph.Nodes;
        // This reads on three connections at once, because the server uses only one core for the lookups of one
        // statement.
        var reading = (
            Written: Written(organization, [.. judged.Select(node => node.Dataset.Id).Order()], ct),
            States: Checks(organization, [.. judged.Select(node => node.Dataset)], ct),
            Declared: Declared(organization, graph, depth, ct));
        await Task.WhenAll(reading.Written, reading.States, reading.Declared);
        var ((uses, runs), states, (writers, isComplete, pipelines, recent)) =
            (await reading.Written, await reading.States, await reading.Declared);
        var declared = writers.ToLookup(writer => writer.Dataset, writer => writer.PipelineId);
        var known = writers.Select(writer => writer.PipelineId).ToHashSet(StringComparer.Ordinal);
        var others = await Pipelines(organization, runs.Values.Select(run => run.PipelineId).Where(id => !known.Contains(id)), ct);
        foreach (var pipeline in others.Pipelines.Values)
        {
            pipelines.Add(pipeline.Id, pipeline);
        }

        var lastRuns = recent.Concat(others.Recent).ToLookup(run => run.PipelineId, StringComparer.Ordinal);
        var checks = states.Take(MaxChecks).ToLookup(state => state.Dataset, StringComparer.Ordinal);
        List<ReadinessReason> reasons = [];
        foreach (var (dataset, distance) in judged)
        {
            reasons.AddRange(ReadinessRules.Judge(new()
            {
                Dataset = dataset.DisplayId,
                Depth = distance,
                Writers = DatasetWriters.Of(declared[dataset.Id], [.. uses[dataset.Id]], runs, pipelines, lastRuns),
                Checks = [.. checks[dataset.DisplayId]],
                AreChecksComplete = states.Count <= MaxChecks && IsIndexed(dataset),
            }, asOf, now));
        }

        var isTruncated = graph.Truncated || !isComplete;
        return new(judged[0].Dataset.DisplayId, ReadinessRules.Status(reasons, isTruncated), Sorted(reasons), judged.Count, isTruncated);
    }

    // For upstream datasets, only the reasons that prevent readiness and the checks that warn are listed.
    private static List<ReadinessReason> Sorted(List<ReadinessReason> reasons) =>
    [
        .. reasons.Where(reason => reason.Depth == 0 || reason.Effect != ReadinessStatus.Ready || reason.Code == ReadinessCode.CheckWarns)
            .OrderBy(reason => reason.Effect switch { ReadinessStatus.NotReady => 0, ReadinessStatus.Unknown => 1, _ => 2 })
            .ThenBy(reason => reason.Depth).ThenBy(reason => reason.Dataset, StringComparer.Ordinal)
            .ThenBy(reason => reason.Code, StringComparer.Ordinal).ThenBy(reason => reason.PipelineId, StringComparer.Ordinal)
            .ThenBy(reason => reason.CheckId, StringComparer.Ordinal),
    ];

    // Returns the pipelines that write the judged datasets by their edges, and the last runs of these pipelines. The graph
    // has no edges that end in its farthest datasets, so these are read here.
    private async Task<(List<(Guid Dataset, string PipelineId)> Writers, bool IsComplete, Dictionary<string, WriterPipeline> Pipelines,
        List<RecentRun> Recent)> Declared(string organization, LineageGraph graph, int depth, CancellationToken ct)
    {
        var farthest = await EdgesTo(organization, graph.Nodes.Where(node => node.Depth == depth).Select(node => node.Dataset.Id), ct);
        List<(Guid Dataset, string PipelineId)> writers =
        [
            .. graph.Edges.Select(edge => (edge.Downstream, edge.PipelineId)).Concat(farthest).Where(writer => writer.PipelineId.Length > 0)
                .Distinct(),
        ];
        var (pipelines, recent) = await Pipelines(organization, writers.Select(writer => writer.PipelineId), ct);
        return (writers, farthest.Count <= budget.Edges, pipelines, recent);
    }

    // Returns the datasets and pipelines of the edges that end in the datasets, and at most budget.Edges + 1 of them. The
    // extra edge shows that not all edges were read.
    private async Task<List<(Guid Dataset, string PipelineId)>> EdgesTo(
        string organization, IEnumerable<Guid> datasets, CancellationToken ct)
    {
        var sql = $"""
            -- Readiness.EdgesTo
            select downstream, pipeline_id
            from {db.Dialect.ByIndex("lineage_edges", "organization_id = @organization and valid_to is null", "downstream", "@ids")}
            limit @Take
            """;

        List<(Guid, string)> edges = [];
        foreach (var ids in datasets.Order().Chunk(db.Dialect.ListLimit).TakeWhile(_ => edges.Count <= budget.Edges))
        {
            edges.AddRange(await db.Many(organization, sql, new { organization, ids, Take = budget.Edges + 1 - edges.Count },
                row => (row.GetGuid(0), row.GetString(1)), ct));
        }

        return edges;
    }

    // Reads the last writes of the datasets, then the runs of these writes.
    private async Task<(ILookup<Guid, UseFacts> Uses, Dictionary<string, RecentRun> Runs)> Written(
        string organization, List<Guid> datasets, CancellationToken ct)
    {
        string Last(string direction) => $"""
            select run_datasets.dataset, run_datasets.run_id, run_datasets.last_at
            from {db.Dialect.Keys("datasets", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("run_datasets",
                $"organization_id = @organization and dataset = datasets.id and direction = '{direction}'",
                "last_at desc, run_id desc", $"{Writes}")}
            """;
        var usesSql = $"""
            -- Readiness.Uses
            {Last("output")}
            union all
            {Last("declared_output")}
            """;
        var runsSql = $"""
            -- Readiness.Runs
            select pipeline_id, id, status, created_at, started_at, completed_at
            from {db.Dialect.ByIndex("runs", "organization_id = @organization", "id", "@ids")}
            """;

        List<UseFacts> uses = [];
        foreach (var ids in datasets.Chunk(db.Dialect.ListLimit))
        {
            uses.AddRange(await db.Many<UseFacts>(organization, usesSql, new { organization, ids }, ct));
        }

        Dictionary<string, RecentRun> runs = new(StringComparer.Ordinal);
        foreach (var ids in uses.Select(use => use.RunId).Distinct().Order(StringComparer.Ordinal).Chunk(db.Dialect.ListLimit))
        {
            (await db.Many<RecentRun>(organization, runsSql, new { organization, ids }, ct)).ForEach(run => runs.Add(run.Id, run));
        }

        return (uses.ToLookup(use => use.Dataset), runs);
    }

    // Returns at most MaxChecks + 1 results. The extra result shows that not all results were read.
    private async Task<List<CheckFacts>> Checks(string organization, List<Dataset> datasets, CancellationToken ct)
    {
        // The index contains only names up to this length, so the query must have the same condition.
        var where = $"organization_id = @organization and length(dataset) < {MaxName + 1}";
        var sql = $"""
            -- Readiness.Checks
            select dataset, pipeline_id, check_id, status, severity, run_id, executed_at
            from {db.Dialect.ByIndex("check_states", where, "dataset", "@ids")}
            limit @Take
            """;

        List<CheckFacts> checks = [];
        var names = datasets.Where(IsIndexed).Select(dataset => dataset.DisplayId).Order(StringComparer.Ordinal);
        foreach (var ids in names.Chunk(db.Dialect.ListLimit).TakeWhile(_ => checks.Count <= MaxChecks))
        {
            checks.AddRange(await db.Many<CheckFacts>(
                organization, sql, new { organization, ids, Take = MaxChecks + 1 - checks.Count }, ct));
        }

        return checks;
    }

    private static bool IsIndexed(Dataset dataset) => dataset.DisplayId.Length <= MaxName;

    private async Task<(Dictionary<string, WriterPipeline> Pipelines, List<RecentRun> Recent)> Pipelines(string organization,
        IEnumerable<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- Readiness.Pipelines
            select id, schedule, created_at, deleted_at
            from {db.Dialect.ByIndex("pipelines", "organization_id = @organization", "id", "@ids")}
            """;

        Dictionary<string, WriterPipeline> found = new(StringComparer.Ordinal);
        List<RecentRun> recent = [];
        foreach (var ids in pipelines.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Chunk(PipelinesOfChunk))
        {
            (await db.Many<WriterPipeline>(organization, sql, new { organization, ids }, ct))
                .ForEach(pipeline => found.Add(pipeline.Id, pipeline));
            recent.AddRange((await pipelineRuns.RecentRuns(organization, ids, RunsOfPipeline, ct)).SelectMany(runs => runs));
        }

        return (found, recent);
    }
}
