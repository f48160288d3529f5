using Catalog.Data.Database;
using Catalog.Data.Events;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Marquez;

/// <summary>Reads runs, and what Marquez's API says about them.</summary>
public sealed class MarquezRuns(CatalogDatabase db)
{
    /// <summary>The maximum number of datasets that are read for one run and one direction.</summary>
    public const int MaxUses = 200;

    private const string Columns =
        "runs.pipeline_id, runs.id, runs.status, runs.created_at, runs.updated_at, runs.started_at, runs.completed_at";

    /// <summary>
    /// One page of the runs of a pipeline, latest start first, and the number of all its runs, at most
    /// <see cref="MarquezJobs.MaxExamined"/>.
    /// </summary>
    public Task<(List<RecentRun> Runs, long Total)> OfPipeline(string organization, string pipelineId, int limit, int offset,
        CancellationToken ct)
    {
        const string Sql = $"""
            -- Marquez.Runs
            select {Columns}
            from runs
            where organization_id = @organization and pipeline_id = @pipelineId
            order by {PipelineRuns.Order}
            limit @limit offset @offset
            """;
        const string Count = """
            -- Marquez.CountRuns
            select count(*)
            from (
                select 1
                from runs
                where organization_id = @organization and pipeline_id = @pipelineId
                limit @MaxExamined) as counted
            """;

        var parameters = new { organization, pipelineId, limit, offset, MarquezJobs.MaxExamined };
        return db.Read(organization, async session =>
            (await session.Many<RecentRun>(Sql, parameters, ct), await session.One<long>(Count, parameters, ct)), ct);
    }

    /// <summary>The runs with these ids, by id; unknown ids are missing.</summary>
    public async Task<Dictionary<string, RecentRun>> OfIds(string organization, IEnumerable<string> ids, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.RunsOfIds
            select {Columns}
            from {db.Dialect.ByIndex("runs", "organization_id = @organization", "id", "@ids")}
            """;

        string[] asked = [.. ids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return asked.Length == 0 ? [] : (await db.Many<RecentRun>(organization, sql, new { organization, ids = asked }, ct))
            .ToDictionary(run => run.Id, StringComparer.Ordinal);
    }

    /// <summary>The facets, datasets and parents of runs.</summary>
    public Task<RunFacts> Facts(string organization, IEnumerable<RecentRun> runs, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            List<string> ids = [.. runs.Select(run => run.Id).Distinct(StringComparer.Ordinal)];
            var facets = await MarquezFacets.Current(session, db.Dialect, organization, FacetSubject.Run, ids, ct);
            List<NamedUse> uses = [];
            List<ParentRow> parents = [];
            foreach (var chunk in ids.Order(StringComparer.Ordinal).Chunk(db.Dialect.ListLimit))
            {
                uses.AddRange(await Uses(session, organization, chunk, ct));
                parents.AddRange(await Parents(session, organization, chunk, ct));
            }

            return new RunFacts(
                facets,
                uses.OrderBy(use => use.Name, StringComparer.Ordinal).ThenBy(use => use.Namespace, StringComparer.Ordinal)
                    .ToLookup(use => use.RunId, StringComparer.Ordinal),
                parents.ToDictionary(parent => parent.RunId, StringComparer.Ordinal));
        }, ct);

    /// <summary>The current facets of one run, or of one job.</summary>
    public async Task<IEnumerable<CurrentFacet>> Facets(string organization, string subject, string id, CancellationToken ct) =>
        (await db.Read(organization, session => MarquezFacets.Current(session, db.Dialect, organization, subject, [id], ct), ct))[id];

    private Task<List<NamedUse>> Uses(Session session, string organization, string[] ids, CancellationToken ct)
    {
        string Part(string direction) => $"""
            select run_datasets.run_id, run_datasets.direction, run_datasets.dataset, datasets.namespace, datasets.name
            from {db.Dialect.ByIndex("runs", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("run_datasets",
                $"organization_id = @organization and run_id = runs.id and direction = '{direction}'", "dataset", $"{MaxUses}")}
            {db.Dialect.JoinByIndex("datasets", "organization_id = @organization", "id", "run_datasets.dataset")}
            """;
        var sql = $"""
            -- Marquez.Uses
            {Part("input")}
            union all
            {Part("output")}
            union all
            {Part("declared_output")}
            """;

        return session.Many<NamedUse>(sql, new { organization, ids }, ct);
    }

    private Task<List<ParentRow>> Parents(Session session, string organization, string[] ids, CancellationToken ct)
    {
        var sql = $"""
            -- Marquez.Parents
            select run_id, parent_job
            from {db.Dialect.ByIndex("lineage_runs", "organization_id = @organization", "run_id", "@ids")}
            where parent_job is not null
            """;

        return session.Many<ParentRow>(sql, new { organization, ids }, ct);
    }
}

/// <summary>What is known about runs, by run id.</summary>
/// <param name="Facets">The current facets.</param>
/// <param name="Uses">The datasets that each run read or wrote, sorted by name.</param>
/// <param name="Parents">The parents; runs without a parent are missing.</param>
public sealed record RunFacts(
    ILookup<string, CurrentFacet> Facets, ILookup<string, NamedUse> Uses, IReadOnlyDictionary<string, ParentRow> Parents);

/// <summary>A dataset that a run read or wrote.</summary>
public sealed record NamedUse
{
    public required string RunId { get; init; }

    /// <summary>input, output or declared_output.</summary>
    public required string Direction { get; init; }

    public required Guid Dataset { get; init; }
    public required string Namespace { get; init; }
    public required string Name { get; init; }

    public bool IsInput => Direction == UseDirection.Input;

    /// <summary>The name as it is shown.</summary>
    public NodeName Shown => new(Namespace.Length == 0 ? NodeName.DefaultNamespace : Namespace, Name);
}

/// <summary>The job of a run's parent.</summary>
public sealed record ParentRow
{
    public required string RunId { get; init; }

    /// <summary>The pipeline id of the parent's job.</summary>
    public required string ParentJob { get; init; }
}
