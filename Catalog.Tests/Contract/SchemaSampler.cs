using System.Text.Json.Nodes;

namespace Catalog.Tests.Contract;

/// <summary>
/// Generates values from schemas: valid values, and values that break one rule. The same seed gives the same values.
/// </summary>
public sealed class SchemaSampler(ApiDocument document, Random random)
{
    private static readonly string[] Letters = ["a", "Z", "0", "-", "_", ".x", "é", "界", "🎉", " q", "'", "\"", "\\", "<b>", ";--", "/",
        "?",
        "#", "+", "&", "\u0001", "\u200f"];
    private static readonly string[] Times = ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00.123456789+05:30", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z", "2026-01-31", "2026-01-31T08:00", "1969-12-31t23:59:59z"];

    /// <summary>A valid value.</summary>
    /// <param name="reference">The schema.</param>
    /// <param name="name">The member's name, for the few rules that a schema cannot express.</param>
    public JsonNode? Valid(JsonNode reference, string name = "")
    {
        var schema = document.Resolve(reference);
        if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray choices)
        {
            return Valid(choices[random.Next(choices.Count)]!, name);
        }

        if (Known(name) is { } known)
        {
            return known;
        }

        if (schema["enum"] is JsonArray words)
        {
            return words[random.Next(words.Count)]?.DeepClone();
        }

        var types = ApiDocument.Types(schema);
        return types.Count == 0 ? Any() : types[random.Next(types.Count)] switch
        {
            "null" => null,
            "boolean" => random.Next(2) == 0,
            "integer" => random.Next(4) switch
            {
                0 => (long)((double?)schema["minimum"] ?? 0),
                1 => Maximum(schema, 9007199254740993L),
                _ =>
                (long)random.Next(
                    Math.Clamp((int)((double?)schema["minimum"] ?? 1), 1, 999), (int)Math.Clamp(Maximum(schema, 1000), 1, 1000) + 1)
            },
            "number" => random.Next(3) switch { 0 => 0, 1 => 1e-300, _ => random.NextDouble() * 1e6 },
            "array" => new JsonArray(
                [.. Enumerable.Range(0, random.Next((int?)schema["minItems"] ?? 0, 4))
                    .Select(_ => schema["items"] is { } items ? Valid(items, name.TrimEnd('s')) : Any())]),
            "object" => schema["properties"] is JsonObject properties ? Object(schema, properties) : new JsonObject { ["k"] = Any() },
            _ => Text(schema),
        };
    }

    /// <summary>
    /// All values that break one rule of an object's schema, each with a description of the broken rule.
    /// </summary>
    public IEnumerable<(string What, JsonNode? Value)> Invalid(JsonNode reference)
    {
        var schema = document.Resolve(reference);
        foreach (var other in new JsonNode?[] { null, 1, "x", true })
        {
            yield return ("not an object", other?.DeepClone());
        }

        var properties = schema["properties"]!.AsObject();
        foreach (var missing in (schema["required"]?.AsArray() ?? []).Select(node => (string)node!))
        {
            var value = Object(schema, properties);
            value.Remove(missing);
            yield return ($"without {missing}", value);
        }

        if (schema["additionalProperties"] is JsonValue allowed && !(bool)allowed)
        {
            var value = Object(schema, properties);
            value["surprise"] = 1;
            yield return ("unknown field", value);
        }

        foreach (var (name, property) in properties.Where(property => property.Value is JsonObject))
        {
            foreach (var (what, wrong) in Broken(document.Resolve(property!)))
            {
                var value = Object(schema, properties);
                value[name] = wrong;
                yield return ($"{name} {what}", value);
            }
        }
    }

    /// <summary>Invalid values of a member or parameter, each with the broken rule.</summary>
    public static IEnumerable<(string What, JsonNode? Value)> Broken(JsonObject schema)
    {
        var types = ApiDocument.Types(schema);
        if (types.Count == 0)
        {
            yield break;
        }

        foreach (var (type, value) in new (string, JsonNode?)[] { ("null", null), ("boolean", true), ("integer", 7), ("string", "x"),
            ("array", new JsonArray(new JsonArray())), ("object", new JsonObject { ["odd"] = 1 }) })
        {
            if (!types.Contains(type) && !(type == "integer" && types.Contains("number")))
            {
                yield return ($"is {type}", value?.DeepClone());
            }
        }

        if ((int?)schema["maxLength"] is { } most)
        {
            yield return ("too long", new string('x', most + 1));
        }

        if ((int?)schema["minLength"] is > 0)
        {
            yield return ("empty", "");
        }

        if (schema["enum"] is not null)
        {
            yield return ("not in the enum", "nonsense");
        }

        if ((double?)schema["minimum"] is { } least)
        {
            yield return ("too small", JsonValue.Create((long)least - 1));
        }

        if (schema["maximum"] is not null)
        {
            yield return ("too large", JsonValue.Create((long)(double)schema["maximum"]! + 1));
        }

        if ((string?)schema["format"] is "date-time" or "cron" or "uri" or "organization-id" or "run-statuses" or "check-statuses")
        {
            yield return ("wrong format", "not a form");
        }
    }

    public string Text(JsonObject schema)
    {
        if ((string?)schema["format"] is { } format)
        {
            return format switch
            {
                "date-time" => Times[random.Next(Times.Length)],
                "cron" => "*/5 0-6 1,15 * MON",
                "uri" =>
                "https://example.org/a?b=c",
                "organization-id" => $"org-{random.Next(1_000_000_000)}",
                "run-statuses" =>
                    "failed,running",
                "check-statuses" => "fail,error",
                _ => "x"
            };
        }

        var most = (int)Math.Min(Maximum(schema, 64), 64);
        var text = "x" + string.Concat(Enumerable.Range(0, random.Next(most / 8)).Select(_ => Letters[random.Next(Letters.Length)]))
            + random.Next(1_000_000_000);
        return random.Next(20) == 0 && (int?)schema["maxLength"] is { } limit and <= 256 ? text.PadRight(limit, 'y')[..limit] : text;
    }

    private JsonObject Object(JsonObject schema, JsonObject properties)
    {
        var required = (schema["required"]?.AsArray() ?? []).Select(name => (string)name!).ToHashSet();
        var value = new JsonObject();
        foreach (var (name, property) in properties)
        {
            // The schema does not express two rules: a check needs a kind or SQL; a result needs a status or success,
            // and both must agree.
            if (name != "success" && (required.Contains(name) || name is "kind" or "status" || random.Next(2) == 0))
            {
                value[name] = Valid(property!, name);
            }
        }

        return value;
    }

    // Members whose valid values depend on other members, which a schema does not express.
    private JsonNode? Known(string name) => name switch
    {
        "config" => new JsonObject { ["host"] = "db.example", ["port"] = 5432, ["user"] = "u", ["password_secret"] = "vault/data/p" },
        "type" => "postgres",
        "kind" => "row_count",
        // Times of events must not be far in the future.
        "executed_at" or "started_at" or "completed_at" => Times.Where(time => time[0] != '9').ElementAt(random.Next(Times.Length - 1)),
        "inputs" or "input" => new JsonArray(),
        "load_mode" => "full",
        "write_mode" => "append",
        "object" => "public.orders",
        "primary_key" => new JsonArray("id"),
        "outputs" => new JsonArray("o"),
        "pipeline_id" => random.Next(4) == 0 ? "nobody" : "contract",
        "run_id" => $"run-{random.Next(50)}",
        "status" => random.Next(2) == 0 ? "Failed" : "SUCCESS",
        _ => null,
    };

    private JsonNode? Any() => random.Next(6) switch
    {
        0 => null,
        1 => true,
        2 => random.NextDouble(),
        3 => "text",
        4 => new JsonArray(1, "a", null),
        _ => new JsonObject { ["a"] = new JsonObject { ["b"] = 1 } },
    };

    private static long Maximum(JsonObject schema, long otherwise) => schema["maximum"] is { } maximum
        ? (long)(double)maximum : (long?)schema["maxLength"] ?? otherwise;
}
