using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Catalog.Data;

/// <summary>
/// Writes equal JSON documents as equal bytes: members are sorted by name (ordinal), there is no white space, and
/// strings are escaped in one way. Numbers keep their digits. RFC 8785 is not used, because it writes numbers as
/// doubles: different large integers would become equal.
/// </summary>
public static class CanonicalJson
{
    // The bytes that Utf8JsonWriter writes without an escape.
    private static readonly SearchValues<byte> Unescaped = SearchValues.Create(
        [.. Enumerable.Range(' ', 95).Select(character => (byte)character)
            .Except([(byte)'"', (byte)'\\', (byte)'&', (byte)'\'', (byte)'+', (byte)'<', (byte)'>', (byte)'`'])]);

    // An object with more members is sorted as a list, because the insertion sort below takes quadratic time.
    private const int MaxPlainMembers = 32;

    /// <summary>SHA-256 of the canonical form.</summary>
    /// <param name="element">The document. Its strings must be valid Unicode.</param>
    /// <param name="except">Names of members of the outermost object that are left out.</param>
    public static byte[] Hash(JsonElement element, params string[] except)
    {
        using var output = Output.Rent();
        Write(output.Writer, element, except);
        return SHA256.HashData(output.Written());
    }

    /// <summary>The canonical form as text.</summary>
    /// <inheritdoc cref="Hash" path="/param"/>
    public static string Text(JsonElement element, params string[] except)
    {
        using var output = Output.Rent();
        Write(output.Writer, element, except);
        return Encoding.UTF8.GetString(output.Written());
    }

    /// <summary>
    /// SHA-256 of the canonical form of <c>{"<paramref name="list"/>":[{…}]}</c>. The only item of the list is
    /// <paramref name="item"/> with an added text member.
    /// </summary>
    /// <param name="list">The name of the list.</param>
    /// <param name="item">The object. It must not have a member with the added name.</param>
    /// <param name="name">The name of the added member.</param>
    /// <param name="text">The value of the added member.</param>
    public static byte[] HashInList(string list, JsonElement item, string name, string text)
    {
        using var output = Output.Rent();
        var writer = output.Writer;
        writer.WriteStartObject();
        writer.WriteStartArray(list);
        writer.WriteStartObject();
        var members = Members(item, []);
        var before = members.FindIndex(member => string.CompareOrdinal(member.Name, name) > 0) is >= 0 and var index
            ? index : members.Count;
        WriteMembers(writer, members[..before]);
        writer.WriteString(name, text);
        WriteMembers(writer, members[before..]);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        return SHA256.HashData(output.Written());
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element, string[] except)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                if (except.Length > 0 || !TryWritePlainMembers(writer, element))
                {
                    WriteMembers(writer, Members(element, except));
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

    // Writes the members without creating a string for each name. Sorting by bytes gives the ordinal order, because no
    // name needs an escape. Returns false, and writes nothing, when a name needs an escape or there are too many
    // members.
    private static bool TryWritePlainMembers(Utf8JsonWriter writer, JsonElement element)
    {
        if (element.GetPropertyCount() is var count && count > MaxPlainMembers)
        {
            return false;
        }

        var members = ArrayPool<JsonProperty>.Shared.Rent(count);
        try
        {
            var sorted = 0;
            foreach (var member in element.EnumerateObject())
            {
                var name = JsonMarshal.GetRawUtf8PropertyName(member);
                if (name.ContainsAnyExcept(Unescaped))
                {
                    return false;
                }

                var place = sorted++;
                for (; place > 0 && JsonMarshal.GetRawUtf8PropertyName(members[place - 1]).SequenceCompareTo(name) > 0; place--)
                {
                    members[place] = members[place - 1];
                }

                members[place] = member;
            }

            foreach (var member in members.AsSpan(0, sorted))
            {
                writer.WritePropertyName(JsonMarshal.GetRawUtf8PropertyName(member));
                Write(writer, member.Value, []);
            }

            return true;
        }
        finally
        {
            ArrayPool<JsonProperty>.Shared.Return(members, clearArray: true);
        }
    }

    private static void WriteMembers(Utf8JsonWriter writer, List<(string Name, int Place, JsonElement Value)> members)
    {
        foreach (var (name, _, value) in members)
        {
            writer.WritePropertyName(name);
            Write(writer, value, []);
        }
    }

    // Each read of member.Name creates a string, so it is read once.
    private static List<(string Name, int Place, JsonElement Value)> Members(JsonElement element, string[] except)
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

    /// <summary>
    /// A buffer with its writer. Each thread keeps one, because an event has dozens of canonical texts, and new buffers
    /// for them were most of its garbage.
    /// </summary>
    private sealed class Output : IDisposable
    {
        private const int MaxKeptBytes = 256 * 1024;

        [ThreadStatic]
        private static Output? t_kept;

        private readonly ArrayBufferWriter<byte> _buffer = new(4096);

        // The methods above write correct JSON, so the writer need not check their order.
        private Output() => Writer = new(_buffer, new() { SkipValidation = true });

        public Utf8JsonWriter Writer { get; }

        public static Output Rent()
        {
            var output = t_kept ?? new Output();
            t_kept = null;
            return output;
        }

        public ReadOnlySpan<byte> Written()
        {
            Writer.Flush();
            return _buffer.WrittenSpan;
        }

        public void Dispose()
        {
            _buffer.ResetWrittenCount();
            Writer.Reset();
            if (_buffer.Capacity <= MaxKeptBytes)
            {
                t_kept = this;
            }
        }
    }
}
