using Catalog.Data.Database;
using Catalog.Data.Events;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Marquez;

/// <summary>
/// Reads what Marquez's API says about jobs. The number of statements does not depend on the number of jobs.
/// </summary>
public sealed class MarquezJobDetails(CatalogDatabase db, PipelineRuns latest, MarquezRuns runs, MarquezJobs jobs)
{
    /// <summary>The maximum number of latest runs of a job.</summary>
    public const int MaxRuns = 10;

    /// <summary>The maximum number of jobs of one call.</summary>
    public const int MaxJobs = 500;

    /// <summary>The jobs with their latest runs, datasets, facets and tags, in the same order.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="rows">The jobs, at most <see cref="MaxJobs"/>.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task<List<JobDetail>> Of(string organization, IReadOnlyList<JobRow> rows, CancellationToken ct)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        List<string> ids = [.. rows.Select(row => row.Id)];
        var recent = await latest.RecentRuns(organization, ids, MaxRuns, ct);
        // For a list of jobs, the facts of the two latest runs of each job are read, because the latest run may have no
        // datasets yet.
        var facts = await runs.Facts(organization, recent.SelectMany(job => rows.Count == 1 ? job : job.Take(2)), ct);
        var parents = (await jobs.OfIds(organization, [.. facts.Parents.Values.Select(parent => parent.ParentJob).Distinct()], ct))
            .ToDictionary(job => job.Id, job => job.Name, StringComparer.Ordinal);
        return await db.Read(organization, async session =>
        {
            var facets = await MarquezFacets.Current(session, db.Dialect, organization, FacetSubject.Job, ids, ct);
            var tags = (await Tags(session, organization, ids, ct)).ToLookup(tag => tag.PipelineId, StringComparer.Ordinal);
            var edges = (await Edges(session, organization, ids, ct)).ToLookup(edge => edge.PipelineId, StringComparer.Ordinal);
            return rows.Select(row =>
            {
                var own = recent[row.Id].ToList();
                var uses = own.Take(2).Select(run => facts.Uses[run.Id].ToList()).FirstOrDefault(found => found.Count > 0) ?? [];
                return new JobDetail
                {
                    Row = row,
                    Runs = own,
                    Facts = facts,
                    Facets = [.. facets[row.Id]],
                    Tags = [.. tags[row.Id].Select(tag => tag.Tag).Order(StringComparer.Ordinal)],
                    Inputs = Distinct(edges[row.Id].Where(edge => edge.IsInput), uses.Where(use => use.IsInput)),
                    Outputs = Distinct(edges[row.Id].Where(edge => !edge.IsInput), uses.Where(use => !use.IsInput)),
                    Parent = own.Select(run => facts.Parents.GetValueOrDefault(run.Id)).OfType<ParentRow>()
                        .Select(parent => parents.GetValueOrDefault(parent.ParentJob)).FirstOrDefault(),
                };
            }).ToList();
        }, ct);
    }

    private static List<JobDataset> Distinct(IEnumerable<EdgeEnd> edges, IEnumerable<NamedUse> uses) =>
    [
        .. edges.Select(edge => new JobDataset(edge.Dataset, edge.Shown)).Concat(uses.Select(use => new JobDataset(use.Dataset, use.Shown)))
            .DistinctBy(dataset => dataset.Key).OrderBy(dataset => dataset.Name.Name, StringComparer.Ordinal)
            .ThenBy(dataset => dataset.Name.Namespace, StringComparer.Ordinal),
    ];

    private Task<List<TagRow>> Tags(Session session, string organization, List<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.JobTags
            select pipeline_id, tag
            from {db.Dialect.ByIndex("pipeline_tags", "organization_id = @organization", "pipeline_id", "@ids")}
            """;

        return session.Many<TagRow>(sql, new { organization, ids = ids.ToArray() }, ct);
    }

    // Reads the datasets at both ends of the current edges of each pipeline.
    private Task<List<EdgeEnd>> Edges(Session session, string organization, List<string> ids, CancellationToken ct)
    {
        string Part(string side, int input) => $"""
            select distinct lineage_edges.pipeline_id, lineage_edges.{side} as dataset, {input} as input, datasets.namespace, datasets.name
            from {db.Dialect.ByIndex("pipelines", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("lineage_edges", "organization_id = @organization and pipeline_id = pipelines.id and valid_to is null",
                "pipeline_id", $"{MarquezRuns.MaxUses}")}
            {db.Dialect.JoinByIndex("datasets", "organization_id = @organization", "id", $"lineage_edges.{side}")}
            """;
        var sql = $"""
            -- Marquez.JobEdges
            {Part("upstream", 1)}
            union all
            {Part("downstream", 0)}
            """;

        return session.Many<EdgeEnd>(sql, new { organization, ids = ids.ToArray() }, ct);
    }

    private sealed record TagRow
    {
        public required string PipelineId { get; init; }
        public required string Tag { get; init; }
    }

    private sealed record EdgeEnd
    {
        public required string PipelineId { get; init; }
        public required Guid Dataset { get; init; }
        public required long Input { get; init; }
        public required string Namespace { get; init; }
        public required string Name { get; init; }

        public bool IsInput => Input == 1;

        public NodeName Shown => new(Namespace.Length == 0 ? NodeName.DefaultNamespace : Namespace, Name);
    }
}

/// <summary>A dataset that a job reads or writes.</summary>
/// <param name="Key">The dataset's key.</param>
/// <param name="Name">Its name.</param>
public sealed record JobDataset(Guid Key, NodeName Name);

/// <summary>A job with all that Marquez's API says about it.</summary>
public sealed record JobDetail
{
    public required JobRow Row { get; init; }

    /// <summary>The latest runs, latest start first.</summary>
    public required IReadOnlyList<RecentRun> Runs { get; init; }

    /// <summary>The facts about the runs of this job and of the other jobs of the same call.</summary>
    public required RunFacts Facts { get; init; }

    public required IReadOnlyList<CurrentFacet> Facets { get; init; }

    /// <summary>The tags of the job, sorted.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>
    /// The datasets come from the job's current edges and from its latest run, or from the run before it if the latest
    /// one reports no datasets. They are sorted by name.
    /// </summary>
    public required IReadOnlyList<JobDataset> Inputs { get; init; }

    /// <inheritdoc cref="Inputs"/>
    public required IReadOnlyList<JobDataset> Outputs { get; init; }

    /// <summary>
    /// The parent job. The latest run of this job that has a parent names it. Only <see cref="Runs"/> are searched, and in
    /// a list of jobs only the two latest. Null when none of them has a parent, or when the parent's job is not known.
    /// </summary>
    public NodeName? Parent { get; init; }
}
