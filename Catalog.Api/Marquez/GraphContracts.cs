using Catalog.Data.Lineage;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>A graph: nodes sorted by id.</summary>
internal sealed record MarquezGraphAnswer(IReadOnlyList<MarquezNode> Graph)
{
    /// <summary>The graph of jobs and datasets.</summary>
    public static MarquezGraphAnswer From(JobGraph graph)
    {
        var jobs = graph.Jobs.ToDictionary(job => job.Row.Id, job => NodeId.OfJob(job.Row.Name), StringComparer.Ordinal);
        var datasets = graph.Datasets.ToDictionary(
            dataset => dataset.Dataset.Id, dataset => NodeId.OfDataset(NodeName.Of(dataset.Dataset)));
        var edges = graph.Links.Select(link => (Job: jobs[link.PipelineId], Dataset: datasets[link.Dataset], link.IsInput))
            .Select(link => link.IsInput ? new MarquezEdge(link.Dataset, link.Job) : new MarquezEdge(link.Job, link.Dataset))
            .Distinct().ToList();
        var (into, from) = (edges.ToLookup(edge => edge.Destination), edges.ToLookup(edge => edge.Origin));
        MarquezNode Node(string id, string type, object data) => new(id, type, data, Sorted(into[id]), Sorted(from[id]));
        return Of(
        [
            .. graph.Jobs.Select(job => Node(jobs[job.Row.Id], "JOB", MarquezJob.From(job))),
            .. graph.Datasets.Select(dataset => Node(datasets[dataset.Dataset.Id], "DATASET", MarquezDataset.From(dataset))),
        ]);
    }

    /// <summary>
    /// The graph of columns. Marquez knows only edges from column to column, so edges from or to a whole dataset are
    /// left out.
    /// </summary>
    public static MarquezGraphAnswer From(ColumnGraph graph, IReadOnlyDictionary<Guid, MarquezDataset> datasets)
    {
        var edges = graph.Edges.Where(edge => edge.DownstreamColumn.Length > 0 && edge.UpstreamColumn.Length > 0)
            .Select(edge => (Down: new ColumnNode(edge.Downstream, edge.DownstreamColumn),
                Up: new ColumnNode(edge.Upstream, edge.UpstreamColumn), edge))
            .DistinctBy(edge => (edge.Down, edge.Up)).ToList();
        var (sources, targets) = (edges.ToLookup(edge => edge.Down), edges.ToLookup(edge => edge.Up));
        string Id(ColumnNode node) => NodeId.OfField(NodeName.Of(graph.Datasets[node.Dataset]), node.Column);
        return Of([.. edges.SelectMany(edge => new[] { edge.Down, edge.Up }).Distinct().Select(node =>
        {
            var inputs = sources[node].Select(source => MarquezColumnInput.From(
                source.edge, NodeName.Of(graph.Datasets[source.Up.Dataset]), source.Up.Column,
                datasets[source.Up.Dataset].CurrentVersion)).ToList();
            var (dataset, id) = (datasets[node.Dataset], Id(node));
            // Marquez's UI expects the node as the origin of the edges in both lists. The graph of jobs is different.
            return new MarquezNode(id, "DATASET_FIELD", new MarquezColumnData
            {
                Namespace = dataset.Namespace,
                Dataset = dataset.Name,
                DatasetVersion = dataset.CurrentVersion,
                Field = node.Column,
                FieldType = dataset.Fields.FirstOrDefault(field => field.Name == node.Column)?.Type,
                TransformationDescription = inputs.FirstOrDefault()?.TransformationDescription,
                TransformationType = inputs.FirstOrDefault()?.TransformationType,
                InputFields = inputs,
            }, Sorted(sources[node].Select(source => new MarquezEdge(id, Id(source.Up)))),
            Sorted(targets[node].Select(target => new MarquezEdge(id, Id(target.Down)))));
        })]);
    }

    // Ids of nodes must be unique. If two datasets have the same shown name, the graph contains only the first.
    private static MarquezGraphAnswer Of(IEnumerable<MarquezNode> nodes) =>
        new([.. nodes.OrderBy(node => node.Id, StringComparer.Ordinal).DistinctBy(node => node.Id)]);

    private static List<MarquezEdge> Sorted(IEnumerable<MarquezEdge> edges) =>
        [.. edges.Distinct().OrderBy(edge => edge.Origin, StringComparer.Ordinal).ThenBy(edge => edge.Destination, StringComparer.Ordinal)];
}

/// <summary>A node with the edges that lead to it and from it.</summary>
internal sealed record MarquezNode(
    string Id, string Type, object Data, IReadOnlyList<MarquezEdge> InEdges, IReadOnlyList<MarquezEdge> OutEdges);

/// <summary>An edge between two nodes, by their ids.</summary>
internal sealed record MarquezEdge(string Origin, string Destination);

/// <summary>A column in a graph.</summary>
internal sealed record MarquezColumnData
{
    public required string Namespace { get; init; }
    public required string Dataset { get; init; }
    public required Guid? DatasetVersion { get; init; }
    public required string Field { get; init; }
    public required string? FieldType { get; init; }
    public required string? TransformationDescription { get; init; }
    public required string? TransformationType { get; init; }
    public required IReadOnlyList<MarquezColumnInput> InputFields { get; init; }
}

/// <summary>A source of a column in a graph.</summary>
internal sealed record MarquezColumnInput(
    string Namespace, string Dataset, Guid? DatasetVersion, string Field, string? TransformationDescription, string? TransformationType)
{
    public static MarquezColumnInput From(ColumnEdge edge, NodeName name, string column, Guid? version)
    {
        var (type, description) = MarquezDataset.Transformation(edge.Transformation);
        return new(name.Namespace, name.Name, version, column, description, type);
    }
}
