using System.Globalization;
using System.Text.Json;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions.Kinds;

/// <summary>
/// Reads the fields of a definition for a kind, and collects their errors by JSON pointer. For a wrong field it returns
/// a default value, so that all errors of a definition are reported together.
/// </summary>
internal sealed class CheckParameters(JsonElement definition)
{
    private const int MaxText = 64 * 1024;
    private const int MaxList = 10_000;

    private readonly JsonElement _params = definition.TryGetProperty("params", out var given) && given.ValueKind == JsonValueKind.Object
        ? given : default;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Sql)> _conditions = [];

    /// <summary>The errors by JSON pointer.</summary>
    public Dictionary<string, string> Errors { get; } = new(StringComparer.Ordinal);

    public void Add(string pointer, string error) => Errors.TryAdd(pointer, error);

    /// <summary>The SQL of the definition; null when it has none.</summary>
    public string? Sql => definition.TryGetProperty("sql", out var sql) && sql.ValueKind == JsonValueKind.String ? sql.GetString() : null;

    /// <summary>Whether a parameter is given and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>The checked column. Adds an error when the definition does not name exactly one column.</summary>
    public string Column()
    {
        if (Columns() is not [var column])
        {
            Add("/column", "is required: the name of the one column to check.");
            return "";
        }

        return column;
    }

    /// <summary>The checked columns from <c>column</c> or <c>columns</c>; empty when there are none.</summary>
    public IReadOnlyList<string> Columns()
    {
        if (definition.TryGetProperty("column", out var column) && column.ValueKind == JsonValueKind.String)
        {
            return [column.GetString()!];
        }

        return definition.TryGetProperty("columns", out var columns) && columns.ValueKind == JsonValueKind.Array
            ? [.. columns.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)] : [];
    }

    /// <summary>A parameter that is text; null when it is absent.</summary>
    public string? Text(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 and <= MaxText } text
            || text.Contains('\0', StringComparison.Ordinal))
        {
            Wrong(name, string.Create(CultureInfo.InvariantCulture, $"must be text of 1 to {MaxText} characters, without U+0000."));
            return null;
        }

        return text;
    }

    /// <summary>A required parameter that is text.</summary>
    public string Required(string name)
    {
        if (Text(name) is { } text)
        {
            return text;
        }

        Wrong(name, "is required.");
        return "";
    }

    /// <summary>A parameter that is one of some words; the first word when it is absent.</summary>
    public string Word(string name, params string[] words)
    {
        if (Find(name) is not { } value)
        {
            return words[0];
        }

        if (value.ValueKind == JsonValueKind.String && Array.IndexOf(words, value.GetString()) >= 0)
        {
            return value.GetString()!;
        }

        Wrong(name, $"must be one of {string.Join(", ", words)}.");
        return words[0];
    }

    /// <summary>
    /// A parameter that is a whole number from <paramref name="least"/> to <paramref name="most"/>;
    /// <paramref name="absent"/> when it is not given.
    /// </summary>
    public int Whole(string name, int least, int most, int absent)
    {
        if (Find(name) is not { } value)
        {
            return absent;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) && whole >= least && whole <= most)
        {
            return whole;
        }

        Wrong(name, string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {least} to {most}."));
        return absent;
    }

    /// <summary>A parameter that is a finite number; null when it is absent.</summary>
    public double? Number(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number))
        {
            return number;
        }

        Wrong(name, "must be a number.");
        return null;
    }

    /// <summary>A parameter that is true or false; false when it is absent.</summary>
    public bool Flag(string name)
    {
        if (Find(name) is not { } value)
        {
            return false;
        }

        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Wrong(name, "must be true or false.");
        }

        return value.ValueKind == JsonValueKind.True;
    }

    /// <summary>A parameter that is text, a number, true or false; null when it is absent.</summary>
    public JsonElement? Scalar(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (IsScalar(value))
        {
            return value;
        }

        Wrong(name, "must be text, a number, true or false.");
        return null;
    }

    /// <summary>
    /// A parameter that is a list of texts, numbers, true or false; empty when it is absent. A null in the list is left
    /// out.
    /// </summary>
    public IReadOnlyList<JsonElement> Scalars(string name, bool required = true)
    {
        if (Find(name) is not { } value)
        {
            if (required)
            {
                Wrong(name, "is required: a list of values.");
            }

            return [];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxList
            || !value.EnumerateArray().All(item => IsScalar(item) || item.ValueKind == JsonValueKind.Null))
        {
            Wrong(name, $"must be a list of at most {MaxList} values: text, numbers, true or false.");
            return [];
        }

        return [.. value.EnumerateArray().Where(IsScalar)];
    }

    /// <summary>A parameter that is one text or a list of texts; empty when it is absent.</summary>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="most">The maximum number of texts.</param>
    /// <param name="allowEmpty">Whether a text can be empty. A pattern can be empty.</param>
    public IReadOnlyList<string> Texts(string name, int most, bool allowEmpty = false)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        bool IsText(JsonElement item) => item.ValueKind == JsonValueKind.String && item.GetString() is { Length: <= MaxText } text
            && (allowEmpty || text.Length > 0) && !text.Contains('\0', StringComparison.Ordinal);
        if (IsText(value))
        {
            return [value.GetString()!];
        }

        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() is var length && length > 0 && length <= most
            && value.EnumerateArray().All(IsText))
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        }

        Wrong(name, string.Create(
            CultureInfo.InvariantCulture,
            $"must be text, or a list of 1 to {most} texts. A text has {(allowEmpty ? 0 : 1)} to {MaxText} characters, without U+0000."));
        return [];
    }

    /// <summary>A parameter of any JSON type; null when it is absent.</summary>
    public JsonElement? Any(string name) => Find(name);

    /// <summary>
    /// A parameter that is a condition in SQL; null when it is absent. <see cref="RefuseSql"/> tests the condition
    /// later, when the type of the warehouse is known.
    /// </summary>
    public string? Condition(string name)
    {
        var sql = Text(name);
        if (sql is not null)
        {
            _conditions.Add((name, sql));
        }

        return sql;
    }

    /// <summary>Why a type of warehouse must not run the SQL of the definition; null when it may run the SQL.</summary>
    public string? RefuseSql(WarehouseSqlFamily family) =>
        Sql is { } sql && SqlGuard.Refuse(sql, family) is { } reason ? $"sql: {reason}"
        : _conditions.Select(condition => (condition.Name, Reason: SqlGuard.RefuseExpression(condition.Sql, family)))
            .FirstOrDefault(refused => refused.Reason is not null) is (var name, { } refusal) ? $"params.{name}: {refusal}"
        : null;

    /// <summary>Adds an error for each given bound. For kinds that do not compare the measured number itself.</summary>
    public void RefuseBounds()
    {
        foreach (var name in Bounds.Names.Where(Has))
        {
            Wrong(name, "is not a parameter of this kind; use warn and fail.");
        }
    }

    /// <summary>Adds an error for each given parameter that the kind did not read.</summary>
    public void RefuseUnknown(string kind)
    {
        if (_params.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var member in _params.EnumerateObject().Where(member => !_known.Contains(member.Name)))
        {
            Wrong(member.Name,
                $"is not a parameter of {kind}; its parameters are {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
        }
    }

    public void Wrong(string name, string error) =>
        Add($"/params/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}", error);

    private JsonElement? Find(string name)
    {
        _known.Add(name);
        return _params.ValueKind == JsonValueKind.Object && _params.TryGetProperty(name, out var value)
            && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private static bool IsScalar(JsonElement value) => value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
        || (value.ValueKind == JsonValueKind.String && !value.GetString()!.Contains('\0', StringComparison.Ordinal));
}
