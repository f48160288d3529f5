using Catalog.Data.Database;
using Catalog.Data.Events;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Marquez;

/// <summary>Finds pipelines as the jobs of Marquez's API.</summary>
public sealed class MarquezJobs(CatalogDatabase db)
{
    /// <summary>The maximum number of pipelines that a list examines.</summary>
    public const int MaxExamined = 20_000;

    private const string Columns = """
        id, description, current_version, created_at, updated_at, (
            select body
            from pipeline_versions
            where pipeline_versions.organization_id = @organization and pipeline_versions.pipeline_id = pipelines.id
              and pipeline_versions.version = 'reported') as reported
        """;

    /// <summary>
    /// One page of the jobs, and the number of all matching jobs. The newest job comes first. Only the jobs of a
    /// namespace other than <see cref="NodeName.DefaultNamespace"/> are ordered by id.
    /// </summary>
    /// <param name="organization">The organization.</param>
    /// <param name="filter">Which jobs the list contains.</param>
    /// <param name="limit">The maximum number of jobs.</param>
    /// <param name="offset">The number of jobs before the page.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<(List<JobRow> Jobs, long Total)> List(string organization, JobFilter filter, int limit, int offset, CancellationToken ct)
    {
        var (from, order) = Matching(filter);
        var rows = $"""
            -- Marquez.Jobs
            select jobs.id, jobs.description, jobs.current_version, jobs.created_at, jobs.updated_at, jobs.reported
            {from}
            order by {order}
            limit @limit offset @offset
            """;
        var count = $"""
            -- Marquez.CountJobs
            select count(*)
            {from}
            """;

        var prefix = StoredText.Cut(JobId.WithSlashes($"{filter.Namespace}/"), 200);
        var parameters = new
        {
            organization,
            limit,
            offset,
            From = prefix,
            // The last character is the greatest one, so every id with the prefix sorts before this text.
            To = prefix + "\U0010FFFF",
            Part = NodeName.BodyPart(filter.Namespace ?? ""),
            NoNamespace = NodeName.BodyPart(""),
            Statuses = filter.Statuses?.ToArray() ?? [],
        };
        return db.Read(organization, async session =>
            (await session.Many<JobRow>(rows, parameters, ct), await session.One<long>(count, parameters, ct)), ct);
    }

    private (string From, string Order) Matching(JobFilter filter)
    {
        var isDefault = filter.Namespace == NodeName.DefaultNamespace;
        var isNamed = filter.Namespace is not null && !isDefault;
        // In both engines "replace" finds a text only in the same letter case. In SQLite "like" ignores letter case.
        const string InNamespace = "jobs.reported <> replace(jobs.reported, @Part, '')";
        List<string> conditions =
        [
            .. isNamed ? [InNamespace] : isDefault
                ? [$"(jobs.reported is null or {InNamespace} or jobs.reported <> replace(jobs.reported, @NoNamespace, ''))"]
                : Array.Empty<string>(),
            .. filter.Statuses is null ? Array.Empty<string>() : [db.Dialect.IsAnyOf("runs.status", "@Statuses")],
        ];
        var latest = filter.Statuses is null ? "" : db.Dialect.JoinFirst(
            "runs", "organization_id = @organization and pipeline_id = jobs.id", PipelineRuns.Order, "1");
        var from = $"""
            from (
                select {Columns}
                from (
                    select id, description, current_version, created_at, updated_at
                    from pipelines
                    where organization_id = @organization and deleted_at is null {(isNamed ? "and id >= @From and id < @To" : "")}
                    order by {(isNamed ? "id" : "created_at desc, id desc")}
                    limit {MaxExamined}) as pipelines) as jobs
            {latest}
            {(conditions.Count == 0 ? "" : $"where {string.Join(" and ", conditions)}")}
            """;
        return (from, isNamed ? "jobs.id" : "jobs.created_at desc, jobs.id desc");
    }

    /// <summary>Tries the names in order. Returns the first job found; null when no job has one of the names.</summary>
    public async Task<JobRow?> Find(string organization, IEnumerable<NodeName> names, CancellationToken ct)
    {
        List<string> ids = [.. names.SelectMany(name => name.PipelineIds).Distinct(StringComparer.Ordinal)];
        return (await OfIds(organization, ids, ct)).OrderBy(job => ids.IndexOf(job.Id)).FirstOrDefault();
    }

    /// <summary>The jobs with these pipeline ids, in any order; deleted and unknown pipelines are left out.</summary>
    public Task<List<JobRow>> OfIds(string organization, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.JobsOfIds
            select {Columns}
            from {db.Dialect.ByIndex("pipelines", "organization_id = @organization", "id", "@ids")}
            where deleted_at is null
            """;

        return db.Read(organization, async session =>
        {
            List<JobRow> jobs = [];
            foreach (var chunk in ids.Order(StringComparer.Ordinal).Chunk(db.Dialect.ListLimit))
            {
                jobs.AddRange(await session.Many<JobRow>(sql, new { organization, ids = chunk }, ct));
            }

            return jobs;
        }, ct);
    }
}

/// <summary>Which jobs a list contains.</summary>
/// <param name="Namespace">Only jobs of this namespace; null for all.</param>
/// <param name="Statuses">Only jobs whose latest run has one of these statuses; null for all.</param>
public sealed record JobFilter(string? Namespace, IReadOnlyList<string>? Statuses);

/// <summary>A pipeline as a job.</summary>
public sealed record JobRow
{
    /// <summary>The pipeline's id.</summary>
    public required string Id { get; init; }

    public string? Description { get; init; }
    public required string CurrentVersion { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>
    /// The body that an event stored when it registered the pipeline; null when no event registered it.
    /// </summary>
    public string? Reported { get; init; }

    /// <summary>The namespace and the name.</summary>
    public NodeName Name => _name ??= NodeName.OfPipeline(Id, Reported);

    private NodeName? _name;
}
