using System.Globalization;
using System.Text.Json;

namespace Catalog.Data.Pipelines;

/// <summary>Compares two bodies of a pipeline member by member.</summary>
public sealed class BodyChanges
{
    /// <summary>The maximum number of changes that are listed.</summary>
    public const int Max = 1000;

    private readonly List<BodyChange> _changes = [];

    private BodyChanges()
    {
    }

    /// <summary>
    /// Lists the differences in the order of the bodies. The field <c>version</c> of the bodies is left out. Items of
    /// arrays are matched by their <c>id</c>, or by their <c>from</c> and <c>to</c>. If an item has none of these, or
    /// two items have the same, the items of the array are matched by position.
    /// </summary>
    /// <returns>At most <see cref="Max"/> changes, and whether there are more.</returns>
    public static (IReadOnlyList<BodyChange> Changes, bool Truncated) Between(string from, string to)
    {
        using var before = JsonDocument.Parse(from);
        using var after = JsonDocument.Parse(to);
        var found = new BodyChanges();
        found.CompareObjects("", before.RootElement, after.RootElement, name => name != "version");
        return found._changes.Count > Max ? (found._changes[..Max], true) : (found._changes, false);
    }

    private void Compare(string path, JsonElement from, JsonElement to)
    {
        if (_changes.Count > Max || JsonElement.DeepEquals(from, to))
        {
            return;
        }

        if (from.ValueKind == JsonValueKind.Object && to.ValueKind == JsonValueKind.Object)
        {
            CompareObjects(path, from, to, _ => true);
        }
        else if (from.ValueKind == JsonValueKind.Array && to.ValueKind == JsonValueKind.Array)
        {
            CompareArrays(path, from, to);
        }
        else
        {
            Add(path, BodyChangeKind.Changed, from, to);
        }
    }

    private void CompareObjects(string path, JsonElement from, JsonElement to, Func<string, bool> isCompared)
    {
        foreach (var member in from.EnumerateObject().Where(member => isCompared(member.Name)))
        {
            var place = $"{path}/{Escape(member.Name)}";
            if (to.TryGetProperty(member.Name, out var value))
            {
                Compare(place, member.Value, value);
            }
            else
            {
                Add(place, BodyChangeKind.Removed, member.Value, null);
            }
        }

        foreach (var member in to.EnumerateObject().Where(member => isCompared(member.Name) && !from.TryGetProperty(member.Name, out _)))
        {
            Add($"{path}/{Escape(member.Name)}", BodyChangeKind.Added, null, member.Value);
        }
    }

    private void CompareArrays(string path, JsonElement from, JsonElement to)
    {
        JsonElement[] before = [.. from.EnumerateArray()];
        JsonElement[] after = [.. to.EnumerateArray()];
        var (keysBefore, keysAfter) = (Keys(before), Keys(after));
        if (keysBefore is null || keysAfter is null)
        {
            (keysBefore, keysAfter) = (Places(before), Places(after));
        }

        var placesAfter = keysAfter.Index().ToDictionary(key => key.Item, key => key.Index, StringComparer.Ordinal);
        foreach (var (place, key) in keysBefore.Index())
        {
            if (placesAfter.TryGetValue(key, out var other))
            {
                Compare($"{path}/{other}", before[place], after[other]);
            }
            else
            {
                Add($"{path}/{place}", BodyChangeKind.Removed, before[place], null);
            }
        }

        var known = keysBefore.ToHashSet(StringComparer.Ordinal);
        foreach (var (place, _) in keysAfter.Index().Where(key => !known.Contains(key.Item)))
        {
            Add($"{path}/{place}", BodyChangeKind.Added, null, after[place]);
        }
    }

    // Null when an item has no key, or two items have the same key.
    private static string[]? Keys(JsonElement[] items)
    {
        string?[] keys = [.. items.Select(item => Text(item, "id") is { } id ? id
            : Text(item, "from") is { } from && Text(item, "to") is { } to
                ? string.Create(CultureInfo.InvariantCulture, $"{from.Length}:{from}{to}") : null)];
        return keys.Contains(null) || keys.Distinct(StringComparer.Ordinal).Count() < keys.Length
            ? null : [.. keys.OfType<string>()];
    }

    private static string[] Places(JsonElement[] items) =>
        [.. Enumerable.Range(0, items.Length).Select(place => place.ToString(CultureInfo.InvariantCulture))];

    private static string? Text(JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;

    private void Add(string path, BodyChangeKind kind, JsonElement? from, JsonElement? to)
    {
        if (_changes.Count <= Max)
        {
            _changes.Add(new(path, kind, from?.GetRawText(), to?.GetRawText()));
        }
    }

    // Escapes a name for a JSON pointer (RFC 6901).
    private static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}

/// <summary>One difference between two bodies.</summary>
/// <param name="Path">The JSON pointer of the value in the newer body; of a removed value in the older body.</param>
/// <param name="Kind">What happened to the value.</param>
/// <param name="From">The older value as JSON; null when it was added.</param>
/// <param name="To">The newer value as JSON; null when it was removed.</param>
public sealed record BodyChange(string Path, BodyChangeKind Kind, string? From, string? To);

/// <summary>What happened to a value.</summary>
public enum BodyChangeKind
{
    /// <summary>Only the newer body has the value.</summary>
    Added,

    /// <summary>Only the older body has the value.</summary>
    Removed,

    /// <summary>The bodies have different values.</summary>
    Changed,
}
