using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>
/// Finds the datasets behind alias names. Everything about a dataset is stored under one of its names: the name whose
/// shown id is the first in ordinal order. So the result does not depend on the order of events.
/// </summary>
internal sealed class DatasetAliases
{
    private static readonly InputRows<Guid> Keys = new(new Column<Guid, Guid>("id", key => key));

    private readonly Dictionary<Guid, DatasetName> _datasets = [];

    /// <param name="organization">The organization.</param>
    /// <param name="reports">The reports whose datasets are looked up.</param>
    public DatasetAliases(string organization, IEnumerable<EventReport> reports)
    {
        const string Sql = """
            -- DatasetAliases.Read
            select aliases.alias, datasets.namespace, datasets.name
            from rows
            join dataset_aliases as aliases on aliases.organization_id = @organization and aliases.alias = rows.id
            join datasets on datasets.organization_id = @organization and datasets.id = aliases.dataset
            """;

        Statement = new(organization, Sql, Keys, [.. reports.SelectMany(NamesIn).Select(name => name.Key).Distinct().Order()]);
    }

    /// <summary>Reads the aliases.</summary>
    public Statement<Guid, AliasRow> Statement { get; }

    /// <summary>The name under which a dataset is stored.</summary>
    public DatasetName Resolve(DatasetName name)
    {
        if (_datasets.Count == 0 && Statement.Results.Count > 0)
        {
            Statement.Results.ForEach(row => _datasets[row.Alias] = new(row.Namespace, row.Name));
        }

        return _datasets.TryGetValue(name.Key, out var dataset) ? dataset : name;
    }

    /// <summary>The id under which a dataset is stored.</summary>
    public string Resolve(string shownId) =>
        Resolve(new DatasetName("", shownId)) is var dataset && dataset.Namespace.Length == 0 && dataset.Name == shownId
            ? shownId : dataset.ShownId;

    /// <summary>
    /// Merges the two datasets of each pair into one dataset, unless they already are the same dataset.
    /// </summary>
    /// <returns>The pipelines whose edges changed.</returns>
    public async Task<HashSet<string>> Merge(Session session, IEnumerable<ReportedAlias> pairs, DateTimeOffset now, CancellationToken ct)
    {
        HashSet<string> pipelines = new(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            var (a, b) = (Resolve(pair.Dataset), Resolve(pair.Other));
            if (a.Key == b.Key)
            {
                continue;
            }

            var (kept, merged) = string.CompareOrdinal(a.ShownId, b.ShownId) < 0 ? (a, b) : (b, a);
            pipelines.UnionWith(await new DatasetMerge(session, Statement.Organization, merged, kept).Run(now, ct));
            foreach (var alias in _datasets.Where(entry => entry.Value.Key == merged.Key).Select(entry => entry.Key).ToList())
            {
                _datasets[alias] = kept;
            }

            _datasets[merged.Key] = kept;
        }

        return pipelines;
    }

    private static IEnumerable<DatasetName> NamesIn(EventReport report) => report.Datasets
        .Concat(report.Facets.Select(facet => facet.Dataset).OfType<DatasetName>())
        .Concat(report.Uses.Select(use => use.Dataset))
        .Concat(report.Edges.SelectMany(edge => new[] { edge.Upstream, edge.Downstream }))
        .Concat(report.ColumnEdges.SelectMany(edge => new[] { edge.Upstream, edge.Downstream }))
        .Concat(report.Aliases.SelectMany(alias => new[] { alias.Dataset, alias.Other }))
        .Concat(report.Results.Select(result => result.Dataset).OfType<string>().Select(id => new DatasetName("", id)));

    /// <summary>An alias with its dataset.</summary>
    internal sealed record AliasRow
    {
        public required Guid Alias { get; init; }
        public required string Namespace { get; init; }
        public required string Name { get; init; }
    }
}
