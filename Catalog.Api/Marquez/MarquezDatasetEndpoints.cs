using Catalog.Api.Http;
using Catalog.Data.Lineage;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>Datasets of Marquez's API, and their versions.</summary>
internal static class MarquezDatasetEndpoints
{
    // The id of a version is computed, not stored. To find a version, this many of the newest versions are compared.
    private const int SearchedVersions = 1000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/datasets", List);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/datasets/{dataset}", Get);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/datasets/{dataset}/versions", Versions);
        MarquezEndpoints.Read(routes, "/namespaces/{ns}/datasets/{dataset}/versions/{version}", Version);
    }

    private static async Task<IResult> List(PathId ns, MarquezQuery query, Caller caller, MarquezDatasets datasets,
        MarquezDatasetDetails details, CancellationToken ct)
    {
        var (limit, offset) = (query.Limit(), query.Offset());
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var (found, totalCount) = await datasets.List(caller.Organization, ns.Value, limit, offset, ct);
        return MarquezJson.Answer(new
        {
            datasets = (await details.Of(caller.Organization, found, ct)).Select(MarquezDataset.From),
            totalCount,
        });
    }

    private static async Task<IResult> Get(PathId ns, PathId dataset, Caller caller, MarquezDatasets datasets,
        MarquezDatasetDetails details, CancellationToken ct) =>
        await datasets.Find(caller.Organization, [new(ns.Value, dataset.Value)], ct) is { } found
            ? MarquezJson.Answer(MarquezDataset.From((await details.Of(caller.Organization, [found], ct))[0]))
            : Problems.NotFound("dataset");

    private static async Task<IResult> Versions(PathId ns, PathId dataset, MarquezQuery query, Caller caller, VersionReader reader,
        CancellationToken ct)
    {
        var (limit, offset) = (query.Limit(), query.Offset());
        return query.Problem ?? (await reader.Read(caller.Organization, new(ns.Value, dataset.Value), limit, offset, _ => true, ct) is
            not var (versions, totalCount) ? Problems.NotFound("dataset") : MarquezJson.Answer(new { versions, totalCount }));
    }

    private static async Task<IResult> Version(PathId ns, PathId dataset, string version, Caller caller, VersionReader reader,
        CancellationToken ct) =>
        Guid.TryParse(version, out var asked) && await reader.Read(
            caller.Organization, new(ns.Value, dataset.Value), SearchedVersions, 0, id => id == asked, ct) is ([var found, ..], _)
            ? MarquezJson.Answer(found) : Problems.NotFound("version of this dataset");

    /// <summary>Reads versions of a dataset with the runs that created them.</summary>
    internal sealed class VersionReader(MarquezDatasets datasets, MarquezDatasetDetails details, MarquezRuns runs, MarquezJobs jobs)
    {
        /// <returns>The versions whose id fits, and the number of all versions; null for an unknown dataset.</returns>
        public async Task<(List<MarquezDatasetVersion> Versions, long Total)?> Read(string organization, NodeName name, int limit,
            int offset, Func<Guid, bool> fits, CancellationToken ct)
        {
            if (await datasets.Find(organization, [name], ct) is not { } found)
            {
                return null;
            }

            var (all, total) = await datasets.Writes(organization, found.Id, limit, offset, ct);
            var writes = all.FindAll(write => fits(MarquezDatasetVersion.Uuid(found.Id, write.RunId)));
            var dataset = MarquezDataset.From((await details.Of(organization, [found], ct))[0]);
            var history = await datasets.History(organization, found.Id, ct);
            var created = await Runs(organization, writes, ct);
            return ([.. writes.Select(write => MarquezDatasetVersion.From(
                dataset, found.Id, write, created.GetValueOrDefault(write.RunId), history))], total);
        }

        private async Task<Dictionary<string, MarquezRun>> Runs(string organization, List<DatasetWrite> writes, CancellationToken ct)
        {
            var found = await runs.OfIds(organization, writes.Select(write => write.RunId), ct);
            var facts = await runs.Facts(organization, found.Values, ct);
            var rows = (await jobs.OfIds(organization, [.. found.Values.Select(run => run.PipelineId).Distinct()], ct))
                .ToDictionary(row => row.Id, StringComparer.Ordinal);
            return found.Values.Where(run => rows.ContainsKey(run.PipelineId)).ToDictionary(run => run.Id, run => MarquezRun.From(
                run, rows[run.PipelineId].Name, MarquezJob.VersionOf(rows[run.PipelineId]), facts), StringComparer.Ordinal);
        }
    }
}
