using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>
/// Reads which datasets a run read and wrote, which runs wrote and read the same versions, and which runs are its
/// parent, its root and its children.
/// </summary>
public sealed class RunLineageRepository(CatalogDatabase db)
{
    /// <summary>The maximum number of datasets of a run, and the maximum number of its children.</summary>
    public const int MaxRows = 500;

    /// <summary>The maximum number of runs that read one version of a dataset.</summary>
    public const int MaxReaders = 50;

    /// <summary>Reads the lineage of a run that exists.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="runId">The run.</param>
    /// <param name="startedAt">The start of the run; null when it is not known.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task<RunLineage> Of(string organization, string runId, DateTimeOffset? startedAt, CancellationToken ct)
    {
        var found = await Read(organization, runId, startedAt, ct);
        var datasets = new Dictionary<Guid, Dataset>();
        await new LineageReader(db, organization, null, ct).Datasets(
            found.Inputs.Concat(found.Outputs).Select(one => one.Use.Dataset).Distinct(), datasets);
        return found with { Datasets = datasets };
    }

    private Task<RunLineage> Read(string organization, string runId, DateTimeOffset? startedAt, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            const string Place = """
                -- RunLineage.Place
                select parent_run_id, parent_job, root_run_id
                from lineage_runs
                where organization_id = @organization and run_id = @runId
                """;
            const string Children = """
                -- RunLineage.Children
                select run_id
                from lineage_runs
                where organization_id = @organization and parent_run_id = @runId
                order by first_at, run_id
                limit @Take
                """;
            const string Uses = """
                -- RunLineage.Uses
                select direction, dataset, run_id, first_at, last_at, row_count, byte_count
                from run_datasets
                where organization_id = @organization and run_id = @runId
                order by direction, dataset
                limit @Take
                """;

            var parameters = new { organization, runId, Take = MaxRows + 1 };
            var place = await session.One<RunPlace>(Place, parameters, ct);
            var children = await session.Many<string>(Children, parameters, ct);
            var uses = await session.Many<RunUse>(Uses, parameters, ct);
            var used = uses.Take(MaxRows).ToLookup(use => use.Direction == "input");
            var ends = used[false].Select(use => use.LastAt).DefaultIfEmpty().Max();
            // A run reads the version of a dataset that was written last before the run started.
            var writers = await Near(session, organization, used[true], true, startedAt ?? used[true].Select(use => use.FirstAt)
                .DefaultIfEmpty().Min(), 2, ct);
            var next = await Near(session, organization, used[false], false, ends, 1, ct);
            var readers = await Readers(session, organization, used[false], ends, ct);
            var read = used[true].Select(use => (use, Other(writers[use.Dataset], runId).OrderByDescending(write => write.LastAt)
                .ThenByDescending(write => write.RunId, StringComparer.Ordinal).Take(1).ToList())).ToList();
            var written = used[false].Select(use => (use, Other(readers[use.Dataset], runId)
                .Where(reader => reader.FirstAt >= use.LastAt && next[use.Dataset].All(write => reader.FirstAt < write.LastAt))
                .ToList())).ToList();

            string?[] named = [place?.ParentRunId, place?.RootRunId, .. children,
                .. read.Concat(written).SelectMany(one => one.Item2).Select(use => use.RunId)];
            var runs = await Runs(session, organization, [.. named.OfType<string>().Distinct().Order(StringComparer.Ordinal)], ct);
            return new RunLineage
            {
                Place = place ?? new(),
                Children = [.. children.Take(MaxRows)],
                Inputs = [.. read],
                Outputs = [.. written],
                Runs = runs,
                Truncated = uses.Count > MaxRows || children.Count > MaxRows,
            };
        }, ct);

    private static IEnumerable<RunUse> Other(IEnumerable<RunUse> uses, string runId) => uses.Where(use => use.RunId != runId);

    // Reads the writes of datasets that are nearest to a time: the last writes before it, or the first writes after it.
    private Task<ILookup<Guid, RunUse>> Near(Session session, string organization, IEnumerable<RunUse> uses, bool isBefore,
        DateTimeOffset at, int take, CancellationToken ct)
    {
        var (compare, order) = isBefore ? ("<=", "last_at desc, run_id desc") : (">", "last_at, run_id");
        return Beside(session, organization, uses, ["output", "declared_output"], compare, order, at, take, ct);
    }

    private Task<ILookup<Guid, RunUse>> Readers(Session session, string organization, IEnumerable<RunUse> uses, DateTimeOffset at,
        CancellationToken ct) =>
        Beside(session, organization, uses, ["input"], ">=", "last_at, run_id", at, MaxReaders, ct);

    private async Task<ILookup<Guid, RunUse>> Beside(Session session, string organization, IEnumerable<RunUse> uses, string[] directions,
        string compare, string order, DateTimeOffset at, int take, CancellationToken ct)
    {
        string Part(string direction) => $"""
            select run_datasets.direction, run_datasets.dataset, run_datasets.run_id, run_datasets.first_at, run_datasets.last_at,
                run_datasets.row_count, run_datasets.byte_count
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("run_datasets",
                $"organization_id = @organization and dataset = datasets.id and direction = '{direction}' and last_at {compare} @at",
                order, $"{take}")}
            """;
        var sql = $"""
            -- RunLineage.Beside
            {string.Join("\nunion all\n", directions.Select(Part))}
            """;

        Guid[] ids = [.. uses.Select(use => use.Dataset).Distinct().Order()];
        return (ids.Length == 0 ? [] : await session.Many<RunUse>(sql, new { organization, ids, at }, ct)).ToLookup(use => use.Dataset);
    }

    private async Task<Dictionary<string, RunState>> Runs(Session session, string organization, List<string> runs, CancellationToken ct)
    {
        var sql = $"""
            -- RunLineage.Runs
            select id, pipeline_id, status
            from {db.Dialect.ByIndex("runs", "organization_id = @organization", "id", "@ids")}
            """;

        Dictionary<string, RunState> found = new(StringComparer.Ordinal);
        foreach (var ids in runs.Chunk(db.Dialect.ListLimit))
        {
            (await session.Many<RunState>(sql, new { organization, ids }, ct)).ForEach(run => found.Add(run.Id, run));
        }

        return found;
    }
}

/// <summary>The lineage of a run.</summary>
public sealed record RunLineage
{
    public required RunPlace Place { get; init; }

    /// <summary>The ids of the runs that the run started, oldest first.</summary>
    public required IReadOnlyList<string> Children { get; init; }

    /// <summary>
    /// The datasets that the run read, each with the write of the version that it read. The list of writes is empty
    /// when that write is not known.
    /// </summary>
    public required IReadOnlyList<(RunUse Use, List<RunUse> Others)> Inputs { get; init; }

    /// <summary>The datasets that the run wrote, each with the reads of the version that it wrote.</summary>
    public required IReadOnlyList<(RunUse Use, List<RunUse> Others)> Outputs { get; init; }

    /// <summary>The states of the named runs, by id. A run that only events of other runs name is missing.</summary>
    public required IReadOnlyDictionary<string, RunState> Runs { get; init; }

    /// <summary>The datasets that the run read and wrote, by key.</summary>
    public IReadOnlyDictionary<Guid, Dataset> Datasets { get; init; } = new Dictionary<Guid, Dataset>();

    /// <summary>Whether datasets or children are left out.</summary>
    public required bool Truncated { get; init; }
}

/// <summary>The parent and the root of a run; null when events do not name them.</summary>
public sealed record RunPlace
{
    public string? ParentRunId { get; init; }

    /// <summary>The pipeline id of the parent's job.</summary>
    public string? ParentJob { get; init; }

    public string? RootRunId { get; init; }
}

/// <summary>A dataset that a run read or wrote.</summary>
public sealed record RunUse
{
    public required string Direction { get; init; }
    public required Guid Dataset { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset FirstAt { get; init; }
    public required DateTimeOffset LastAt { get; init; }
    public long? RowCount { get; init; }
    public long? ByteCount { get; init; }
}

/// <summary>The pipeline and status of a run.</summary>
public sealed record RunState
{
    public required string Id { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>A word of RunStatus.</summary>
    public required string Status { get; init; }
}
