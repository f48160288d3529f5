using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Catalog.Data;

namespace Catalog.Api.Http;

/// <summary>
/// Finds the members of a JSON value that its contract does not have. The messages list the members of the contract.
/// </summary>
internal static class UnknownFields
{
    private const int MaxReported = 10;

    // A name in a body can be a megabyte long.
    private const int MaxShown = 256;

    // A longer name is not a typing error, and comparing it takes long.
    private const int MaxCompared = 100;

    // The members of each contract type. They are kept, because a body can have a million items of one type.
    private static readonly ConcurrentDictionary<Type, Dictionary<string, Type>> Known = new();

    /// <summary>The options of the API, but unknown members are ignored.</summary>
    public static JsonSerializerOptions IgnoringOptions { get; } =
        new(ApiJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip };

    /// <summary>Finds the first ten unknown members.</summary>
    /// <param name="json">The value.</param>
    /// <param name="contract">The type that it should have.</param>
    /// <returns>The messages by JSON pointer.</returns>
    public static Dictionary<string, string[]> Find(JsonElement json, Type contract)
    {
        var found = new Dictionary<string, string[]>(StringComparer.Ordinal);
        Add(json, contract, "", found);
        return found;
    }

    private static void Add(JsonElement json, Type type, string pointer, Dictionary<string, string[]> found)
    {
        var info = ApiJson.Options.GetTypeInfo(type);
        if (info.Kind == JsonTypeInfoKind.Enumerable && json.ValueKind == JsonValueKind.Array)
        {
            foreach (var (index, item) in json.EnumerateArray().Index().TakeWhile(_ => found.Count < MaxReported))
            {
                Add(item, info.ElementType!, $"{pointer}/{index}", found);
            }
        }
        else if (info.Kind == JsonTypeInfoKind.Object && json.ValueKind == JsonValueKind.Object)
        {
            AddMembers(json, info, pointer, found);
        }
    }

    private static void AddMembers(JsonElement json, JsonTypeInfo info, string pointer, Dictionary<string, string[]> found)
    {
        var known = Known.GetOrAdd(info.Type, static (_, contract) => FieldsOf(contract), info);
        foreach (var member in json.EnumerateObject().TakeWhile(_ => found.Count < MaxReported))
        {
            var own = pointer + JsonPointer.OfName(StoredText.Cut(member.Name, MaxShown));
            if (known.TryGetValue(member.Name, out var type))
            {
                Add(member.Value, type, own, found);
            }
            else if (info.UnmappedMemberHandling is not JsonUnmappedMemberHandling.Skip)
            {
                found[own] = [Message(member.Name, [.. known.Keys.Order(StringComparer.Ordinal)])];
            }
        }
    }

    private static Dictionary<string, Type> FieldsOf(JsonTypeInfo contract) => contract.Properties
        .Where(property => property.Set is not null || property.AssociatedParameter is not null)
        .DistinctBy(property => property.Name, StringComparer.Ordinal)
        .ToDictionary(property => property.Name, property => property.PropertyType, StringComparer.Ordinal);

    private static string Message(string name, string[] known) =>
        (name.Length <= MaxCompared && SpellingSuggestion.FindTypo(name, known) is { } nearest
            ? $"is not a field here; did you mean {nearest}?" : "is not a field here.")
        + (known.Length > 0 ? $" This object has the fields {string.Join(", ", known)}." : "");
}
