using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Catalog.Data;

/// <summary>
/// Writes equal JSON documents as equal bytes: members sorted by name (ordinal), no white space, one way to escape
/// strings. Numbers keep their digits: RFC 8785 rewrites them as doubles, which would make different large integers
/// equal.
/// </summary>
public static class CanonicalJson
{
    // The bytes that Utf8JsonWriter writes without an escape.
    private static readonly SearchValues<byte> Unescaped = SearchValues.Create(
        [.. Enumerable.Range(' ', 95).Select(character => (byte)character).Except([(byte)'"', (byte)'\\', (byte)'&', (byte)'\'', (byte)'+', (byte)'<', (byte)'>', (byte)'`'])]);

    /// <summary>SHA-256 of the canonical form.</summary>
    /// <param name="element">The document. Its strings must be valid Unicode.</param>
    /// <param name="except">Names of members of the outermost object that are left out.</param>
    public static byte[] Hash(JsonElement element, params string[] except)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, element, except);
        }

        return SHA256.HashData(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element, string[] except)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var (name, _, value) in Members(element, except))
                {
                    writer.WritePropertyName(name);
                    Write(writer, value, []);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(writer, item, []);
                }

                writer.WriteEndArray();
                break;
            // Fast path: the string contains no escape and needs none.
            case JsonValueKind.String when JsonMarshal.GetRawUtf8Value(element) is var raw && !raw[1..^1].ContainsAnyExcept(Unescaped):
                writer.WriteRawValue(raw, skipInputValidation: true);
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(element.GetString());
                break;
            default:
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(element), skipInputValidation: true);
                break;
        }
    }

    // member.Name allocates a string at each call, so it is read once.
    private static List<(string Name, int Index, JsonElement Value)> Members(JsonElement element, string[] except)
    {
        List<(string Name, int Index, JsonElement Value)> members = new(16);
        foreach (var member in element.EnumerateObject())
        {
            if (member.Name is var name && !except.Contains(name))
            {
                members.Add((name, members.Count, member.Value));
            }
        }

        members.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name) is not 0 and var order ? order : a.Index - b.Index);
        return members;
    }
}
