using Catalog.Api.Http;
using Catalog.Data.Events;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>Jobs and runs of Marquez's API.</summary>
internal static class MarquezJobEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        MarquezEndpoints.Read(routes, "/jobs", All);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/jobs", OfNamespace);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/jobs/{job}", Get);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/jobs/{job}/versions", Versions);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/jobs/{job}/versions/{version}", Version);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/jobs/{job}/runs", Runs);
        MarquezEndpoints.Read(routes, "/jobs/runs/{id}", Run);
        MarquezEndpoints.Read(routes, "/jobs/runs/{id}/facets", Facets);
    }

    private static Task<IResult> All(MarquezQuery query, Caller caller, MarquezJobs jobs, MarquezJobDetails details,
        CancellationToken ct) => List(null, query, caller, jobs, details, ct);

    private static Task<IResult> OfNamespace(PathId ns, MarquezQuery query, Caller caller, MarquezJobs jobs, MarquezJobDetails details,
        CancellationToken ct) => List(ns.Value, query, caller, jobs, details, ct);

    private static async Task<IResult> List(string? ns, MarquezQuery query, Caller caller, MarquezJobs jobs, MarquezJobDetails details,
        CancellationToken ct)
    {
        var (limit, offset, statuses) = (query.Limit(), query.Offset(), query.LastRunStatuses());
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var (rows, totalCount) = await jobs.List(caller.Organization, new(ns, statuses), limit, offset, ct);
        return MarquezJson.Answer(new { jobs = (await details.Of(caller.Organization, rows, ct)).Select(MarquezJob.From), totalCount });
    }

    private static async Task<IResult> Get(PathId ns, PathId job, Caller caller, MarquezJobs jobs, MarquezJobDetails details,
        CancellationToken ct) =>
        await Find(ns, job, caller, jobs, details, ct) is { } found ? MarquezJson.Answer(found) : Problems.NotFound("job");

    // In the Catalog, a version of a job comes from a registered body; in Marquez, it comes from a run. The two kinds
    // do not correspond, so only the current version is shown.
    private static async Task<IResult> Versions(PathId ns, PathId job, MarquezQuery query, Caller caller, MarquezJobs jobs,
        MarquezJobDetails details, CancellationToken ct)
    {
        var (limit, offset) = (query.Limit(), query.Offset());
        return query.Problem ?? (await Find(ns, job, caller, jobs, details, ct) is not { } found ? Problems.NotFound("job")
            : MarquezJson.Answer(new { versions = new[] { MarquezJobVersion.From(found) }.Skip(offset).Take(limit), totalCount = 1 }));
    }

    private static async Task<IResult> Version(PathId ns, PathId job, string version, Caller caller, MarquezJobs jobs,
        MarquezJobDetails details, CancellationToken ct) =>
        Guid.TryParse(version, out var asked) && await Find(ns, job, caller, jobs, details, ct) is { } found
            && asked == found.CurrentVersion
            ? MarquezJson.Answer(MarquezJobVersion.From(found)) : Problems.NotFound("version of this job");

    private static async Task<MarquezJob?> Find(PathId ns, PathId job, Caller caller, MarquezJobs jobs, MarquezJobDetails details,
        CancellationToken ct) =>
        await jobs.Find(caller.Organization, [new(ns.Value, job.Value)], ct) is { } row
            ? MarquezJob.From((await details.Of(caller.Organization, [row], ct))[0]) : null;

    private static async Task<IResult> Runs(PathId ns, PathId job, MarquezQuery query, Caller caller, MarquezJobs jobs, MarquezRuns runs,
        CancellationToken ct)
    {
        var (limit, offset) = (query.Limit(), query.Offset());
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (await jobs.Find(caller.Organization, [new(ns.Value, job.Value)], ct) is not { } row)
        {
            return Problems.NotFound("job");
        }

        var (found, totalCount) = await runs.OfPipeline(caller.Organization, row.Id, limit, offset, ct);
        var facts = await runs.Facts(caller.Organization, found, ct);
        return MarquezJson.Answer(new
        {
            runs = found.Select(run => MarquezRun.From(run, row.Name, MarquezJob.VersionOf(row), facts)),
            totalCount,
        });
    }

    private static async Task<IResult> Run(PathId id, Caller caller, MarquezJobs jobs, MarquezRuns runs, CancellationToken ct)
    {
        if ((await runs.OfIds(caller.Organization, [id.Value], ct)).GetValueOrDefault(id.Value) is not { } run)
        {
            return Problems.NotFound("run");
        }

        var row = (await jobs.OfIds(caller.Organization, [run.PipelineId], ct)).FirstOrDefault();
        return MarquezJson.Answer(MarquezRun.From(
            run, row?.Name ?? NodeName.OfPipeline(run.PipelineId, null), row is null ? Guid.Empty : MarquezJob.VersionOf(row),
            await runs.Facts(caller.Organization, [run], ct)));
    }

    private static async Task<IResult> Facets(PathId id, MarquezQuery query, Caller caller, MarquezRuns runs, CancellationToken ct)
    {
        var type = query.Word("type", "", "RUN", "JOB");
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if ((await runs.OfIds(caller.Organization, [id.Value], ct)).GetValueOrDefault(id.Value) is not { } run)
        {
            return Problems.NotFound("run");
        }

        var facets = await runs.Facets(caller.Organization, type == "RUN" ? FacetSubject.Run : FacetSubject.Job,
            type == "RUN" ? run.Id : run.PipelineId, ct);
        return MarquezJson.Answer(new { runId = run.Id, facets = MarquezFacetJson.All(facets) });
    }
}
