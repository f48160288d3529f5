using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.Dbt;

/// <summary>A node, source, exposure or unit test of the manifest.</summary>
/// <param name="Id">Its unique_id.</param>
/// <param name="Type">Its resource_type, such as model or test.</param>
/// <param name="Json">Its members that the log keeps.</param>
/// <param name="Dataset">
/// The dataset of the node; null when the node has no dataset, for example a test or an ephemeral model.
/// </param>
internal sealed record DbtNode(string Id, string Type, JsonElement Json, DatasetName? Dataset)
{
    /// <summary>
    /// Whether the node is a model without a table or view in the warehouse. A node that depends on such a model
    /// depends on the parents of the model.
    /// </summary>
    public bool IsEphemeral => Type == "model" && Dataset is null;

    public bool IsTest => Type is "test" or "unit_test";

    public IReadOnlyList<string> DependsOn { get; } =
        [.. (Json.Object("depends_on") is { } on ? on.Items("nodes") : []).Where(id => id.ValueKind == JsonValueKind.String)
            .Select(id => StoredText.Clean(id.GetString()!))];
}

/// <summary>
/// The nodes of a manifest and their datasets. The name of a dataset is <c>database.schema.table</c>, as OpenLineage
/// producers write it. Parts that the warehouse does not have are left out. The namespace is that of the upload. If the
/// upload has none, it is the type of the adapter, because artifacts do not name the host of the warehouse. For
/// BigQuery, this type is also the namespace in OpenLineage.
/// </summary>
internal sealed class DbtGraph
{
    /// <summary>The namespace of exposures, which are not tables or views in the warehouse.</summary>
    public const string ExposureNamespace = "dbt";

    private const int MaxSteps = 500_000;

    private readonly Dictionary<string, DbtNode> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyCollection<DatasetName>> _parents = new(StringComparer.Ordinal);
    private readonly EventReportBuilder _report;
    private readonly string _namespace;
    private int _steps;

    public DbtGraph(EventReportBuilder report, JsonElement manifest, string? @namespace)
    {
        _report = report;
        _namespace = @namespace ?? manifest.Object("metadata")?.Text("adapter_type", 200)?.ToLowerInvariant() ?? "dbt";
        Add(manifest.Members("nodes"), null);
        Add(manifest.Members("sources"), "source");
        Add(manifest.Members("exposures"), "exposure");
        Add(manifest.Members("unit_tests"), "unit_test");
    }

    public IReadOnlyCollection<DbtNode> Nodes => _nodes.Values;

    public DbtNode? Find(string id) => _nodes.GetValueOrDefault(id);

    /// <summary>The datasets that a node reads; an ephemeral model is replaced by the datasets that it reads.</summary>
    public IReadOnlyCollection<DatasetName> Parents(DbtNode node) =>
        _parents.TryGetValue(node.Id, out var parents) ? parents : _parents[node.Id] = FindParents(node);

    /// <summary>The dataset that a test or unit test is about; null when no dataset is found.</summary>
    public DatasetName? Tested(DbtNode test)
    {
        if (test.Type == "unit_test")
        {
            return test.DependsOn.Select(id => Find(id)?.Dataset).FirstOrDefault(dataset => dataset is not null);
        }

        if (test.Json.Text("attached_node") is { } attached)
        {
            return Find(attached)?.Dataset;
        }

        // A relationship test depends on two models, in any order. Its file_key_name ends with the name of the tested
        // model.
        var name = test.Json.Text("file_key_name")?.Split('.')[^1];
        return test.DependsOn.Where(id => name is not null && id.EndsWith($".{name}", StringComparison.Ordinal))
            .Concat(test.DependsOn).Select(id => Find(id)?.Dataset).FirstOrDefault(dataset => dataset is not null);
    }

    private HashSet<DatasetName> FindParents(DbtNode node)
    {
        HashSet<DatasetName> parents = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        var open = new Queue<string>(node.DependsOn);
        while (open.TryDequeue(out var id))
        {
            if (++_steps > MaxSteps)
            {
                _report.Unread("event", "depends_on", UnreadReason.Limit);
                break;
            }

            if (!seen.Add(id) || Find(id) is not { } parent)
            {
                continue;
            }

            if (parent.Dataset is { } dataset)
            {
                parents.Add(dataset);
            }
            else if (parent.IsEphemeral)
            {
                foreach (var next in parent.DependsOn)
                {
                    open.Enqueue(next);
                }
            }
        }

        return parents;
    }

    private void Add(IEnumerable<JsonProperty> members, string? type)
    {
        foreach (var member in members)
        {
            if ((type ?? member.Value.Text("resource_type")) is not { } known || member.Name.Length == 0)
            {
                _report.Unread("event", "nodes", UnreadReason.Invalid);
                continue;
            }

            var id = StoredText.Clean(member.Name);
            _nodes[id] = new(id, known, member.Value, Dataset(id, known, member.Value));
        }
    }

    private DatasetName? Dataset(string id, string type, JsonElement node)
    {
        if (type == "exposure")
        {
            return _report.Dataset(new DatasetName(ExposureNamespace, id), "dataset");
        }

        if (type is not ("model" or "seed" or "snapshot" or "source") || node.Object("config")?.Text("materialized") == "ephemeral")
        {
            return null;
        }

        var table = (type == "source" ? node.Text("identifier") : node.Text("alias")) ?? node.Text("name");
        if (table is null)
        {
            _report.Unread("dataset", "name", UnreadReason.Invalid);
            return null;
        }

        string?[] parts = [node.Text("database"), node.Text("schema"), table];
        return _report.Dataset(new DatasetName(_namespace, string.Join('.', parts.OfType<string>())), "dataset");
    }
}
