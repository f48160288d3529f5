using System.Text.RegularExpressions;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>
/// The id of a node of Marquez: <c>job:NAMESPACE:NAME</c>, <c>dataset:NAMESPACE:NAME</c> or
/// <c>datasetField:NAMESPACE:NAME:FIELD</c>. Namespaces and names may contain colons, so an id can have several
/// readings.
/// </summary>
/// <param name="Type">job, dataset or datasetField.</param>
/// <param name="Names">The readings of namespace and name, the likeliest first.</param>
/// <param name="Field">The field of a datasetField; empty for the other types.</param>
internal sealed partial record NodeId(string Type, IReadOnlyList<NodeName> Names, string Field)
{
    public const string Job = "job";
    public const string Dataset = "dataset";
    public const string DatasetField = "datasetField";

    private const int MaxLength = 4000;
    private const int MaxReadings = 32;

    /// <summary>The error message for an id that cannot be read.</summary>
    public const string Expected =
        "nodeId must be job:NAMESPACE:NAME, dataset:NAMESPACE:NAME or datasetField:NAMESPACE:NAME:FIELD, without a #VERSION.";

    /// <returns>The id; null when it cannot be read.</returns>
    public static NodeId? Parse(string text)
    {
        if (text.Length > MaxLength || Version().IsMatch(text) || text.Split(':', 2) is not [var type, var rest]
            || type is not (Job or Dataset or DatasetField))
        {
            return null;
        }

        var field = "";
        if (type == DatasetField)
        {
            var colon = rest.LastIndexOf(':');
            (rest, field) = colon < 0 ? ("", "") : (rest[..colon], rest[(colon + 1)..]);
        }

        // In postgres://host:5432:db.t, the colons before // and before a digit are unlikely to end the namespace.
        var names = Enumerable.Range(0, rest.Length).Where(i => rest[i] == ':' && i > 0 && i < rest.Length - 1)
            .OrderBy(i => rest.AsSpan(i).StartsWith("://") || char.IsAsciiDigit(rest[i + 1]))
            .Take(MaxReadings).Select(i => new NodeName(rest[..i], rest[(i + 1)..])).ToList();
        return names.Count == 0 || (type == DatasetField && field.Length == 0) ? null : new(type, names, field);
    }

    public static string OfJob(NodeName name) => $"{Job}:{name.Namespace}:{name.Name}";

    public static string OfDataset(NodeName name) => $"{Dataset}:{name.Namespace}:{name.Name}";

    public static string OfField(NodeName name, string field) => $"{DatasetField}:{name.Namespace}:{name.Name}:{field}";

    [GeneratedRegex("#[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")]
    private static partial Regex Version();
}
