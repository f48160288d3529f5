using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;

namespace Catalog.Tests.Executions;

/// <summary>
/// The data sets of Great Expectations with the verdict that it expects for each of its expectations, mapped to our
/// kinds of checks.
/// </summary>
internal static class GreatExpectationsCases
{
    /// <summary>All data sets, each with its cases.</summary>
    public static IEnumerable<GreatExpectationsData> Read()
    {
        foreach (var file in RealInput.Files("gx/test_definitions"))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            var expectation = json.RootElement.GetProperty("expectation_type").GetString()!;
            var number = 0;
            foreach (var data in json.RootElement.GetProperty("datasets").EnumerateArray())
            {
                yield return new(expectation, $"{Path.GetFileNameWithoutExtension(file)}_{number++}", data.Clone());
            }
        }
    }

    /// <summary>The definition of the check for an expectation; null when it cannot be mapped.</summary>
    public static JsonObject? Definition(string expectation, JsonElement given)
    {
        var definition = new JsonObject();
        var parameters = new JsonObject();
        JsonNode? Value(string name) => given.TryGetProperty(name, out var value) ? JsonNode.Parse(value.GetRawText()) : null;
        void Copy(string name, string to)
        {
            if (Value(name) is { } value)
            {
                parameters[to] = value;
            }
        }

        definition["column"] = Value("column");
        definition["kind"] = expectation switch
        {
            "expect_column_max_to_be_between" => "max",
            "expect_column_min_to_be_between" => "min",
            "expect_column_mean_to_be_between" => "avg",
            "expect_column_median_to_be_between" => "median",
            "expect_column_stdev_to_be_between" => "stddev",
            "expect_column_sum_to_be_between" => "sum",
            "expect_column_unique_value_count_to_be_between" => "distinct_count",
            "expect_column_proportion_of_unique_values_to_be_between" => "distinct_share",
            "expect_column_value_lengths_to_be_between" or "expect_column_value_lengths_to_equal" => "length",
            "expect_column_values_to_be_between" => "range",
            "expect_column_values_to_be_in_set" => "accepted_values",
            "expect_column_values_to_not_be_in_set" => "forbidden_values",
            "expect_column_values_to_be_unique" or "expect_compound_columns_to_be_unique" => "unique",
            "expect_column_values_to_match_regex" or "expect_column_values_to_not_match_regex"
                or "expect_column_values_to_match_like_pattern" or "expect_column_values_to_not_match_like_pattern" => "pattern",
            "expect_column_values_to_not_be_null" => "not_null",
            "expect_column_values_to_be_null" => "null",
            "expect_column_most_common_value_to_be_in_set" => "most_common_value",
            "expect_column_pair_values_a_to_be_greater_than_b" or "expect_column_pair_values_to_be_equal" => "compare_columns",
            "expect_table_columns_to_match_set" or "expect_table_columns_to_match_ordered_list" or "expect_table_column_count_to_equal"
                or "expect_table_column_count_to_be_between" => "schema",
            "expect_table_row_count_to_be_between" or "expect_table_row_count_to_equal" => "row_count",
            _ => null,
        };
        if (definition["kind"] is null)
        {
            return null;
        }

        Copy("min_value", "min");
        Copy("max_value", "max");
        Copy("value", "min");
        Copy("value", "max");
        Copy("strict_min", "strict_min");
        Copy("strict_max", "strict_max");
        Copy("value_set", "values");
        Copy("regex", "regex");
        Copy("like_pattern", "like");
        Copy("column_set", "columns");
        Copy("column_list", "columns");
        if (expectation.Contains("_not_match_", StringComparison.Ordinal))
        {
            parameters["negated"] = true;
        }

        if (expectation.EndsWith("ordered_list", StringComparison.Ordinal))
        {
            parameters["ordered"] = true;
        }

        if ((string?)definition["kind"] == "compare_columns")
        {
            definition["columns"] = new JsonArray(Value("column_A"), Value("column_B"));
            parameters["operator"] = expectation.EndsWith("equal", StringComparison.Ordinal) ? "="
                : (bool?)Value("or_equal") == true ? ">=" : ">";
            parameters["nulls"] = (string?)Value("ignore_row_if") == "never" ? "fail" : "ignore";
        }

        if (given.TryGetProperty("column_list", out var columns) && expectation.Contains("compound", StringComparison.Ordinal))
        {
            definition["columns"] = JsonNode.Parse(columns.GetRawText());
            parameters.Remove("columns");
        }

        if (given.TryGetProperty("exact_match", out var exact) && exact.ValueKind == JsonValueKind.False)
        {
            parameters["mode"] = "contains";
        }

        if (given.TryGetProperty("mostly", out var mostly))
        {
            definition["fail"] = new JsonObject { ["above"] = 100 - (mostly.GetDecimal() * 100), ["unit"] = "percent" };
        }

        if (given.TryGetProperty("row_condition", out var condition))
        {
            parameters["where"] = condition.GetString()!.Replace("==", "=", StringComparison.Ordinal).Replace('"', '\'');
        }

        definition["params"] = parameters;
        return definition;
    }
}

/// <summary>One table and its cases.</summary>
internal sealed record GreatExpectationsData(string Expectation, string Table, JsonElement Json)
{
    public IEnumerable<JsonElement> Cases => Json.GetProperty("tests").EnumerateArray();

    /// <summary>The statements that create the table.</summary>
    /// <param name="engine">The name of the engine in the input, such as postgresql.</param>
    /// <param name="types">The type names for whole numbers, numbers, true and false, text and times.</param>
    /// <param name="quote">Quotes a name.</param>
    public IEnumerable<string> Create(string engine, ColumnTypes types, Func<string, string> quote)
    {
        var data = Json.GetProperty("data");
        var schema = Json.TryGetProperty("schemas", out var schemas) && schemas.TryGetProperty(engine, out var own) ? own : default;
        var columns = data.EnumerateObject()
            .Select(column => (column.Name, Values: column.Value.EnumerateArray().ToList(), Type: TypeOf(column, schema))).ToList();
        yield return $"create table {quote(Table)} ({string.Join(", ", columns.Select(column =>
            $"{quote(column.Name)} {types.Name(column.Type)}"))})";
        for (var row = 0; row < columns[0].Values.Count; row++)
        {
            yield return $"insert into {quote(Table)} values ({string.Join(", ", columns.Select(column =>
                Literal(column.Values[row], column.Type)))})";
        }
    }

    private static char TypeOf(JsonProperty column, JsonElement schema)
    {
        var declared = schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty(column.Name, out var type)
            ? type.GetString()! : "";
        if (declared.Contains("TIME", StringComparison.Ordinal))
        {
            return 't';
        }

        var values = column.Value.EnumerateArray().Where(value => value.ValueKind != JsonValueKind.Null);
        var kinds = values.Select(value => value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetInt64(out _) && !value.GetRawText().Contains('.', StringComparison.Ordinal) ? 'i' : 'd',
            JsonValueKind.True or JsonValueKind.False => 'b',
            _ => 's',
        }).Distinct().ToList();
        // The values decide the type; a declared INT counts only if there are no values. A column of mixed values is a
        // column of text, except for whole and other numbers.
        return kinds.Count == 0 ? (declared.StartsWith("INT", StringComparison.Ordinal) ? 'i' : 's')
            : kinds.Count == 1 ? kinds[0] : kinds.TrueForAll(kind => kind is 'i' or 'd') ? 'd' : 's';
    }

    private static string Literal(JsonElement value, char type) => value.ValueKind switch
    {
        JsonValueKind.Null => "null",
        _ when type == 't' => $"'{DateTime.Parse(value.GetString()!, CultureInfo.InvariantCulture):yyyy-MM-dd HH:mm:ss}'",
        JsonValueKind.True or JsonValueKind.False when type == 'b' => value.GetRawText(),
        JsonValueKind.String when type is 'i' => value.GetString()!,
        JsonValueKind.String => $"'{value.GetString()!.Replace("'", "''", StringComparison.Ordinal)}'",
        _ => type == 's' ? $"'{value.GetRawText()}'" : value.GetRawText(),
    };
}

/// <summary>The names of column types of an engine.</summary>
internal sealed record ColumnTypes(string Whole, string Number, string Flag, string Text, string Time)
{
    public string Name(char type) => type switch { 'i' => Whole, 'd' => Number, 'b' => Flag, 't' => Time, _ => Text };
}
