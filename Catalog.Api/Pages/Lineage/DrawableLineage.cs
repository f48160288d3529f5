using Catalog.Api.Pages.Drawing;

namespace Catalog.Api.Pages.Lineage;

/// <summary>A part of the lineage graph as the drawing takes it.</summary>
internal static class DrawableLineage
{
    /// <param name="graph">The graph.</param>
    /// <param name="focus">The shown id of the dataset that it is about; null for none.</param>
    /// <param name="more">Where the neighbours of a dataset that are not drawn are; null for the lineage of the dataset.</param>
    public static DrawnGraph Of(DatasetGraph graph, string? focus, Func<DatasetNode, string>? more = null)
    {
        var names = graph.Nodes.ToDictionary(node => node.Dataset.Id, node => node.Id);
        return new(
            [.. graph.Nodes.Select(node => new DrawnNode
            {
                Id = node.Id,
                Title = node.Id,
                RunStatus = node.RunStatus,
                Checks = [.. node.Checks.Select(count => new CheckTally(count.Status, count.Count))],
                Href = Links.Dataset(node.Id),
                Hidden = node.HiddenUpstream + node.HiddenDownstream,
                HiddenHref = more is null ? Links.Lineage(node.Id) : more(node),
            })],
            [.. graph.Edges.Select(edge => new DrawnEdge(
                names[edge.Upstream], names[edge.Downstream], edge.PipelineId, Links.Pipeline(edge.PipelineId)))],
            focus);
    }
}
