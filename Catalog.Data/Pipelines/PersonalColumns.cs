using System.Text.Json;

namespace Catalog.Data.Pipelines;

/// <summary>
/// Reads which columns of a dataset the body of a pipeline tags as personal data: <c>columns</c> of a source or target
/// whose <c>object</c> is the dataset, each with a <c>name</c> and <c>tags</c> that contain <c>pii</c>.
/// </summary>
public static class PersonalColumns
{
    private const string Tag = "pii";

    private static readonly string[] Sides = ["sources", "targets"];

    /// <summary>The names of the columns. The set ignores case.</summary>
    /// <param name="body">The body of the pipeline.</param>
    /// <param name="datasets">The names of the dataset and of its table.</param>
    public static IReadOnlySet<string> Of(string body, params IReadOnlyCollection<string> datasets)
    {
        using var json = JsonDocument.Parse(body);
        return Sides
            .SelectMany(side => Items(json.RootElement, side))
            .Where(item => Text(item, "object") is { } name && datasets.Contains(name, StringComparer.Ordinal))
            .SelectMany(item => Items(item, "columns"))
            .Where(column => Items(column, "tags").Any(tag => tag.ValueKind == JsonValueKind.String
                && string.Equals(tag.GetString(), Tag, StringComparison.OrdinalIgnoreCase)))
            .Select(column => Text(column, "name")).OfType<string>()
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    // A generator can write any JSON here. Values of another type are left out.
    private static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray() : [];

    private static string? Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString() : null;
}
