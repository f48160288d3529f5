using Catalog.Api.Http;
using Catalog.Data.Lineage;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>The graphs of Marquez's API.</summary>
internal static class MarquezGraphEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        MarquezEndpoints.Read(routes, MarquezPaths.Lineage, Lineage);
        MarquezEndpoints.Read(routes, "/column-lineage", Columns);
    }

    private static async Task<IResult> Lineage(MarquezQuery query, Caller caller, MarquezJobs jobs, MarquezDatasets datasets,
        MarquezGraph graph, CancellationToken ct)
    {
        var (node, depth) = (Node(query, NodeId.Job, NodeId.Dataset), query.Depth());
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var job = node!.Type == NodeId.Job ? await jobs.Find(caller.Organization, node.Names, ct) : null;
        var dataset = node.Type == NodeId.Dataset ? await datasets.Find(caller.Organization, node.Names, ct) : null;
        var found = job is not null ? await graph.Around(caller.Organization, job, depth, ct)
            : dataset is not null ? await graph.Around(caller.Organization, dataset, depth, ct) : null;
        return found is null ? Problems.NotFound(node.Type) : MarquezJson.Answer(MarquezGraphAnswer.From(found));
    }

    private static async Task<IResult> Columns(MarquezQuery query, Caller caller, MarquezDatasets datasets, MarquezDatasetDetails details,
        ColumnLineageRepository columns, CancellationToken ct)
    {
        var (node, depth) = (Node(query, NodeId.Dataset, NodeId.DatasetField), query.Depth());
        var direction = query.IsTrue("withDownstream") ? LineageDirection.Both : LineageDirection.Upstream;
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (await datasets.Find(caller.Organization, node!.Names, ct) is not { } dataset
            || await columns.Walk(caller.Organization, dataset.DisplayId, node.Field, direction, depth, ct) is not { } graph)
        {
            return Problems.NotFound("dataset");
        }

        var named = await details.Of(caller.Organization, [.. graph.Datasets.Values], ct);
        return MarquezJson.Answer(MarquezGraphAnswer.From(
            graph, named.ToDictionary(detail => detail.Dataset.Id, MarquezDataset.From)));
    }

    private static NodeId? Node(MarquezQuery query, params string[] types)
    {
        var node = NodeId.Parse(query.Required("nodeId"));
        if (node is null || !types.Contains(node.Type))
        {
            query.Refuse(node is null ? NodeId.Expected : $"nodeId must be of the type {string.Join(" or ", types)} here.");
        }

        return node;
    }
}
