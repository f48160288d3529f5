using System.Text;
using Catalog.Api.Http;
using Catalog.Api.Lineage;
using Catalog.Api.Pages.Drawing;
using Catalog.Data.Lineage;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Catalog.Api.Pages.Lineage;

/// <summary>Downloads of a lineage drawing: the picture, the edges or the graph.</summary>
internal static class LineageDownload
{
    /// <summary>The drawing as an SVG document with its own styles and without links.</summary>
    public static async Task<IResult> Svg(DatasetGraph graph, string dataset, HttpContext context)
    {
        await using var renderer = new HtmlRenderer(context.RequestServices, context.RequestServices.GetRequiredService<ILoggerFactory>());
        var svg = await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<LineageDrawing>(
            ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(LineageDrawing.Graph)] = DrawableLineage.Of(graph, dataset),
                [nameof(LineageDrawing.Standalone)] = true,
            }))).ToHtmlString());
        context.Response.Headers.ContentDisposition = "attachment; filename=lineage.svg";
        return TypedResults.Text(svg, "image/svg+xml; charset=utf-8", Encoding.UTF8);
    }

    /// <summary>The edges as <c>csv</c>, or the graph as the <c>json</c> of the API.</summary>
    public static IResult Edges(string format, DatasetGraph graph, HttpContext context)
    {
        var item = LineageGraphItem.From(new LineageGraph(
            [.. graph.Nodes.Select(node => (node.Dataset, node.Depth))], graph.Edges, graph.Truncated,
            [.. graph.Nodes.Where(node => node.HiddenUpstream + node.HiddenDownstream > 0).Select(node => node.Dataset)]));
        if (format == "json")
        {
            context.Response.Headers.ContentDisposition = "attachment; filename=lineage.json";
            return TypedResults.Json(item, ApiJson.Options);
        }

        return Download.Of(format, "lineage", new ItemList<LineageEdgeItem> { Items = item.Edges }, context, ("from", edge => edge.From),
            ("to", edge => edge.To), ("pipeline_id", edge => edge.PipelineId), ("valid_from", edge => edge.ValidFrom),
            ("valid_to", edge => edge.ValidTo));
    }
}
