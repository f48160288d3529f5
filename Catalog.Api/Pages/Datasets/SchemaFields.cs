using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Pages.Datasets;

/// <summary>
/// A column of a schema. The name of a nested column begins with its parents, such as <c>customer.city</c>.
/// </summary>
internal sealed record SchemaField(string Name, string? Type, string? Description);

/// <summary>Reads the columns of a schema from an event, which may report them in any shape.</summary>
internal static class SchemaFields
{
    private const int Most = 5000;
    private const int MaxNames = 8;

    /// <summary>The columns, each followed by its nested columns, in the reported order; at most 5,000.</summary>
    public static IReadOnlyList<SchemaField> Of(RawJson? fields)
    {
        List<SchemaField> found = [];
        if (fields is { } raw)
        {
            using var json = JsonDocument.Parse(raw.Text);
            Add(json.RootElement, "", found);
        }

        return found;
    }

    /// <summary>What changed from one version to the next, in words.</summary>
    public static string Describe(RawJson? newer, RawJson? older)
    {
        var (now, before) = (Types(newer), Types(older));
        List<string> changes =
        [
            .. Part("added", now.Keys.Where(name => !before.ContainsKey(name))),
            .. Part("removed", before.Keys.Where(name => !now.ContainsKey(name))),
            .. Part("type changed", now.Where(field => before.TryGetValue(field.Key, out var type) && type != field.Value)
                .Select(field => $"{field.Key} ({before[field.Key] ?? "none"} to {field.Value ?? "none"})")),
        ];
        return changes.Count == 0 ? "descriptions or order changed" : string.Join("; ", changes);
    }

    private static IEnumerable<string> Part(string change, IEnumerable<string> names)
    {
        List<string> all = [.. names.Select(DisplayText.Clean)];
        if (all.Count > 0)
        {
            var rest = all.Count > MaxNames ? $" and {all.Count - MaxNames} more" : "";
            yield return $"{change}: {string.Join(", ", all.Take(MaxNames))}{rest}";
        }
    }

    private static Dictionary<string, string?> Types(RawJson? fields)
    {
        Dictionary<string, string?> types = new(StringComparer.Ordinal);
        foreach (var field in Of(fields))
        {
            types.TryAdd(field.Name, field.Type);
        }

        return types;
    }

    private static void Add(JsonElement fields, string parent, List<SchemaField> found)
    {
        foreach (var field in fields.ValueKind == JsonValueKind.Array ? fields.EnumerateArray().ToList() : [])
        {
            if (found.Count >= Most || Text(field, "name") is not { } name)
            {
                continue;
            }

            found.Add(new(parent + name, Text(field, "type"), Text(field, "description")));
            if (field.TryGetProperty("fields", out var nested))
            {
                Add(nested, $"{parent}{name}.", found);
            }
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;
}
