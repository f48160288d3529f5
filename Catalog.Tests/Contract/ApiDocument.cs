using System.Text.Json.Nodes;

namespace Catalog.Tests.Contract;

/// <summary>The OpenAPI document that the service returns.</summary>
public sealed class ApiDocument(JsonNode root)
{
    public IReadOnlyList<Operation> Operations { get; } =
    [
        .. root["paths"]!.AsObject().SelectMany(path =>
            path.Value!.AsObject().Select(operation => new Operation(path.Key, operation.Key.ToUpperInvariant(), operation.Value!))),
    ];

    /// <summary>Resolves a $ref; returns any other schema unchanged.</summary>
    public JsonObject Resolve(JsonNode schema) => (string?)schema["$ref"] is { } reference
        ? root["components"]!["schemas"]![reference["#/components/schemas/".Length..]]!.AsObject()
        : schema.AsObject();

    /// <summary>
    /// Describes the first mismatch of a value with a schema; null if it matches. Supports only the keywords that our
    /// document uses.
    /// </summary>
    public string? Mismatch(JsonNode? value, JsonNode reference, string at = "")
    {
        var schema = Resolve(reference);
        if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray choices)
        {
            return choices.Any(choice => Mismatch(value, choice!, at) is null) ? null : $"{at}: matches no alternative";
        }

        if (Types(schema) is { Count: > 0 } types && !types.Contains(TypeOf(value))
            && !(TypeOf(value) == "integer" && types.Contains("number")))
        {
            return $"{at}: is {TypeOf(value)}, not {string.Join(" or ", types)}";
        }

        if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
        {
            return $"{at}: is not in the enum";
        }

        return value switch
        {
            JsonObject map => Members(map, schema, at),
            JsonArray array when schema["items"] is { } items => array.Select((item, i) => Mismatch(item, items, $"{at}/{i}"))
                .FirstOrDefault(mismatch => mismatch is not null),
            JsonValue text when (string?)schema["format"] == "date-time" && !DateTimeOffset.TryParse((string?)text, out _) =>
                $"{at}: is not a time",
            _ => null,
        };
    }

    public static List<string> Types(JsonObject schema) => schema["type"] switch
    {
        JsonArray several => [.. several.Select(type => (string)type!)],
        JsonValue one => [(string)one!],
        _ => [],
    };

    private string? Members(JsonObject value, JsonObject schema, string at)
    {
        var properties = schema["properties"]?.AsObject();
        if ((schema["required"]?.AsArray() ?? []).FirstOrDefault(name => !value.ContainsKey((string)name!)) is { } missing)
        {
            return $"{at}: lacks {missing}";
        }

        foreach (var (name, member) in value)
        {
            if (properties?[name] is { } property)
            {
                if (Mismatch(member, property, $"{at}/{name}") is { } mismatch)
                {
                    return mismatch;
                }
            }
            else if (schema["additionalProperties"] is JsonValue allowed && !(bool)allowed)
            {
                return $"{at}/{name}: is not documented";
            }
        }

        return null;
    }

    private static string TypeOf(JsonNode? value) => value?.GetValueKind() switch
    {
        null or System.Text.Json.JsonValueKind.Null => "null",
        System.Text.Json.JsonValueKind.Object => "object",
        System.Text.Json.JsonValueKind.Array => "array",
        System.Text.Json.JsonValueKind.String => "string",
        System.Text.Json.JsonValueKind.Number => value.AsValue().TryGetValue(out long _) ? "integer" : "number",
        _ => "boolean",
    };
}

/// <summary>One operation of the document.</summary>
public sealed record Operation(string Path, string Method, JsonNode Node)
{
    public string Id => (string)Node["operationId"]!;

    public bool NeedsKey => Node["security"]?.AsArray().Count > 0;

    public JsonNode? Body => Node["requestBody"]?["content"]?["application/json"]?["schema"];

    public JsonNode? Example => Node["requestBody"]?["content"]?["application/json"]?["example"];

    public IEnumerable<JsonNode> Parameters(string place) => (Node["parameters"]?.AsArray() ?? []).OfType<JsonNode>()
        .Where(parameter => (string)parameter["in"]! == place);

    /// <summary>
    /// Whether the status and content type are documented, and the schema of the body; null if there is no body.
    /// </summary>
    public (bool Documented, JsonNode? Schema) Answer(int status, string? contentType)
    {
        var answer = Node["responses"]?[$"{status}"];
        return (answer is not null && (answer["content"] is null || answer["content"]![contentType ?? ""] is not null),
            answer?["content"]?[contentType ?? ""]?["schema"]);
    }
}
