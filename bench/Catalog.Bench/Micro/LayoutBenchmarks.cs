using BenchmarkDotNet.Attributes;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Bench.Micro;

/// <summary>The layout of a lineage graph with one and a half edges for each node.</summary>
public class LayoutBenchmarks
{
    private string[] _nodes = [];
    private (string From, string To)[] _edges = [];

    [Params(200, 1_000, 5_000)]
    public int Nodes { get; set; }

    [GlobalSetup]
    public void Create()
    {
        var random = new Random(7);
        _nodes = [.. Enumerable.Range(0, Nodes).Select(node => $"mart.table_{node}")];
        // An edge leads from a near earlier node, so that there are many layers.
        _edges =
        [
            .. Enumerable.Range(0, Nodes * 3 / 2).Select(_ => random.Next(1, Nodes))
                .Select(to => (_nodes[Math.Max(0, to - random.Next(1, 40))], _nodes[to])),
        ];
    }

    [Benchmark]
    public Layout Place() => LayeredLayout.Of(_nodes, _edges);
}
