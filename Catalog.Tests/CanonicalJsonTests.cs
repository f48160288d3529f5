using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Data;

namespace Catalog.Tests;

/// <summary>Compares the canonical form, which decides which requests and events are equal, with a plain way to write it.</summary>
[Trait("Category", "Fast")]
public sealed class CanonicalJsonTests
{
    // Names with and without escapes, in byte order other than ordinal order, and prefixes of each other.
    private static readonly string[] Names =
        ["a", "A", "aa", "a b", "_a", "é", "\uffff", "\U0001f680", "a\"", "a<b", "\n", "", "0", "10", "9", "a.b", "a/b", "+", "`"];

    [Fact]
    public void Random_documents_have_the_form_of_the_plain_writer()
    {
        var random = new Random(20);
        for (var i = 0; i < 5000; i++)
        {
            var text = Any(random, 4)?.ToJsonString(new()
            {
                WriteIndented = random.Next(2) == 0,
                Encoder = random.Next(2) == 0 ? JavaScriptEncoder.Default : JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            }) ?? "null";
            using var json = JsonDocument.Parse(text);

            Assert.Equal(Plain(json.RootElement), CanonicalJson.Text(json.RootElement));
            Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(Plain(json.RootElement))), CanonicalJson.Hash(json.RootElement));
        }
    }

    [Theory]
    [InlineData("""{"b":1,"a":{"d":2,"c":[{"z":1,"y":2}]}}""", """{"a":{"c":[{"y":2,"z":1}],"d":2},"b":1}""")]
    [InlineData("""{"a":2,"\u0061":1,"a":3}""", """{"a":2,"a":1,"a":3}""")]
    [InlineData("""{"b":1,"a":2,"b":0}""", """{"a":2,"b":1,"b":0}""")]
    [InlineData("""{"n":12345678901234567890123.10,"m":1e400}""", """{"m":1e400,"n":12345678901234567890123.10}""")]
    public void The_form_of_a_document(string text, string form)
    {
        using var json = JsonDocument.Parse(text);

        Assert.Equal(form, CanonicalJson.Text(json.RootElement));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(5000)]
    public void Members_are_sorted_however_many_there_are(int count)
    {
        var names = Enumerable.Range(0, count).Select(i => $"m{i * 7919 % count}").ToList();
        using var json = JsonDocument.Parse($"{{{string.Join(',', names.Select(name => $"\"{name}\":1"))}}}");

        Assert.Equal($"{{{string.Join(',', names.Order(StringComparer.Ordinal).Select(name => $"\"{name}\":1"))}}}",
            CanonicalJson.Text(json.RootElement));
    }

    private static string Plain(JsonElement json)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            Write(writer, json);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in json.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in json.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(json.GetString());
                break;
            default:
                writer.WriteRawValue(json.GetRawText());
                break;
        }
    }

    private static JsonNode? Any(Random random, int depth) => random.Next(depth > 0 ? 6 : 4) switch
    {
        0 => null,
        1 => random.Next(1000),
        2 => random.Next(2) == 0,
        3 => Names[random.Next(Names.Length)],
        4 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Any(random, depth - 1))]),
        _ => new JsonObject(Names.Where(_ => random.Next(3) == 0).OrderBy(_ => random.Next())
            .Select(name => KeyValuePair.Create(name, Any(random, depth - 1)))),
    };
}
