namespace Catalog.Api.Pages.Drawing;

/// <summary>
/// A graph with a rank for each node. Where an edge passes a rank between its ends, it has a lane there.
/// </summary>
internal sealed class LayeredGraph
{
    // If more lanes were needed, the longest edges get none and are drawn straight. A chain of thousands of nodes with
    // as many shortcuts would need millions of lanes.
    private const int MaximumLanes = 40_000;

    private LayeredGraph(int nodes, List<Edge> edges, List<int> rankOf, List<(int Left, int Right)> links)
    {
        Nodes = nodes;
        Edges = edges;
        RankOf = [.. rankOf];
        Links = links;
    }

    /// <summary>The number of nodes. Nodes have the numbers below it; lanes have higher numbers.</summary>
    public int Nodes { get; }

    public IReadOnlyList<Edge> Edges { get; }

    /// <summary>The rank of each node and each lane, by its number.</summary>
    public int[] RankOf { get; }

    /// <summary>The links: the part of each edge between two neighbouring ranks.</summary>
    public IReadOnlyList<(int Left, int Right)> Links { get; }

    /// <summary>
    /// Gives each node a rank. The edges must be sorted by their ends, without duplicates and self-loops.
    /// </summary>
    public static LayeredGraph Of(int nodes, List<(int From, int To)> edges)
    {
        var back = BackEdges(nodes, edges);
        var forward = edges.Select((edge, index) => back[index] ? (From: edge.To, To: edge.From) : edge).ToList();
        var ranks = Ranks(nodes, forward);
        var rankOf = new List<int>(ranks);
        var links = new List<(int, int)>(edges.Count);
        var all = new Edge[edges.Count];
        var room = MaximumLanes;
        foreach (var index in Enumerable.Range(0, edges.Count).OrderBy(index => ranks[forward[index].To] - ranks[forward[index].From]))
        {
            var (left, right) = forward[index];
            var lanes = new List<int>();
            var needed = ranks[right] - ranks[left] - 1;
            if (needed <= room)
            {
                room -= needed;
                for (var rank = ranks[left] + 1; rank < ranks[right]; rank++)
                {
                    lanes.Add(rankOf.Count);
                    rankOf.Add(rank);
                }

                int[] stops = [left, .. lanes, right];
                links.AddRange(stops.Skip(1).Zip(stops, (next, stop) => (stop, next)));
            }

            all[index] = new Edge(edges[index].From, edges[index].To, back[index], lanes);
        }

        return new LayeredGraph(nodes, [.. all], rankOf, links);
    }

    // In a depth-first search, an edge to a node on the current path closes a cycle. The search begins with the nodes
    // without incoming edges.
    private static bool[] BackEdges(int nodes, List<(int From, int To)> edges)
    {
        var leaving = Leaving(nodes, edges);
        var entered = new bool[nodes];
        foreach (var (_, to) in edges)
        {
            entered[to] = true;
        }

        var back = new bool[edges.Count];
        var state = new byte[nodes];
        var next = new int[nodes];
        var path = new Stack<int>();
        foreach (var start in Enumerable.Range(0, nodes).OrderBy(node => entered[node]))
        {
            if (state[start] != 0)
            {
                continue;
            }

            state[start] = 1;
            path.Push(start);
            while (path.TryPeek(out var node))
            {
                if (next[node] == leaving[node].Count)
                {
                    state[path.Pop()] = 2;
                    continue;
                }

                var edge = leaving[node][next[node]++];
                var to = edges[edge].To;
                back[edge] = state[to] == 1;
                if (state[to] == 0)
                {
                    state[to] = 1;
                    path.Push(to);
                }
            }
        }

        return back;
    }

    // The rank of a node is the length of the longest path to it from a source. At the end, each source moves to the
    // rank before its nearest target.
    private static int[] Ranks(int nodes, List<(int From, int To)> edges)
    {
        var leaving = Leaving(nodes, edges);
        var waiting = new int[nodes];
        foreach (var (_, to) in edges)
        {
            waiting[to]++;
        }

        var sources = Enumerable.Range(0, nodes).Where(node => waiting[node] == 0).ToList();
        var ranks = new int[nodes];
        var ready = new Queue<int>(sources);
        while (ready.TryDequeue(out var node))
        {
            foreach (var to in leaving[node].Select(edge => edges[edge].To))
            {
                ranks[to] = Math.Max(ranks[to], ranks[node] + 1);
                waiting[to]--;
                if (waiting[to] == 0)
                {
                    ready.Enqueue(to);
                }
            }
        }

        foreach (var source in sources.Where(source => leaving[source].Count > 0))
        {
            ranks[source] = leaving[source].Min(edge => ranks[edges[edge].To]) - 1;
        }

        var lowest = nodes == 0 ? 0 : ranks.Min();
        return [.. ranks.Select(rank => rank - lowest)];
    }

    private static List<int>[] Leaving(int nodes, List<(int From, int To)> edges)
    {
        var leaving = new List<int>[nodes];
        for (var node = 0; node < nodes; node++)
        {
            leaving[node] = [];
        }

        for (var edge = 0; edge < edges.Count; edge++)
        {
            leaving[edges[edge].From].Add(edge);
        }

        return leaving;
    }

    /// <summary>An edge.</summary>
    /// <param name="From">The node where the edge starts.</param>
    /// <param name="To">The node where the edge ends.</param>
    /// <param name="IsBack">
    /// Whether the edge closes a cycle. The ranks treat it as an edge in the other direction.
    /// </param>
    /// <param name="Lanes">The lanes of the edge in the ranks that it passes, from left to right.</param>
    internal sealed record Edge(int From, int To, bool IsBack, IReadOnlyList<int> Lanes);
}
