using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>Reads members of facets, which may have any shape.</summary>
internal static class MarquezFacetJson
{
    public static readonly IReadOnlyDictionary<string, RawJson> None = new Dictionary<string, RawJson>();

    /// <summary>The facets by name.</summary>
    public static Dictionary<string, RawJson> All(IEnumerable<CurrentFacet> facets) =>
        facets.ToDictionary(facet => facet.Facet, facet => new RawJson(facet.Value), StringComparer.Ordinal);

    /// <summary>A text member of a facet; null when there is none.</summary>
    public static string? Text(IReadOnlyDictionary<string, RawJson> facets, string facet, string member)
    {
        if (!facets.TryGetValue(facet, out var value))
        {
            return null;
        }

        using var json = JsonDocument.Parse(value.Text);
        return Text(json.RootElement, member);
    }

    /// <summary>A text member of an object; null when there is none.</summary>
    public static string? Text(JsonElement json, string member) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(member, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString() : null;

    /// <summary>The objects in an array member of a facet.</summary>
    public static List<JsonElement> Items(string? facet, string member)
    {
        if (facet is null)
        {
            return [];
        }

        using var json = JsonDocument.Parse(facet);
        return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(member, out var array)
            && array.ValueKind == JsonValueKind.Array
                ? [.. array.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object).Select(item => item.Clone())] : [];
    }
}
