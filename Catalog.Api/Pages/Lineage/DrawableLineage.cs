using Catalog.Api.Pages.Drawing;

namespace Catalog.Api.Pages.Lineage;

/// <summary>Converts a part of the lineage graph into the graph that the drawing needs.</summary>
internal static class DrawableLineage
{
    /// <param name="graph">The graph.</param>
    /// <param name="focus">The shown id of the dataset that the graph is about; null for none.</param>
    /// <param name="more">
    /// The target of a dataset's link to its neighbours that are not drawn; null for the page with the dataset's
    /// lineage.
    /// </param>
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
