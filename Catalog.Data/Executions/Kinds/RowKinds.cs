using System.Text.Json;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Executions.Kinds;

/// <summary>
/// The kinds that judge each row. A row whose value is null is neither judged nor counted, except by <c>not_null</c>,
/// <c>null</c> and <c>missing</c>, and by <c>compare_columns</c> when <c>params.nulls</c> is <c>fail</c>.
/// </summary>
internal static class RowKinds
{
    private const string Uuid = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

    private static readonly Dictionary<string, string> Formats = new(StringComparer.Ordinal)
    {
        ["uuid"] = Uuid,
        ["email"] = "^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*[.][A-Za-z]{2,}$",
        ["date"] = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        ["time"] = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?$",
        ["timestamp"] = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?"
            + "(Z|[+-][0-9]{2}:?[0-9]{2})?$",
        ["integer"] = "^[+-]?[0-9]+$",
        ["decimal"] = "^[+-]?[0-9]+([.][0-9]+)?$",
        ["ipv4"] = "^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$",
        ["url"] = "^https?://[^ /?#]+[^ ]*$",
        ["phone"] = "^[+]?[0-9][0-9 ()./-]{5,}[0-9]$",
        ["country_code"] = "^[A-Z]{2}$",
        ["currency_code"] = "^[A-Z]{3}$",
    };

    public static CheckKind NotNull(CheckParameters parameters) =>
        AllRows(parameters.Column(), (sql, column) => $"{sql.Quote(column)} is null");

    public static CheckKind Null(CheckParameters parameters) =>
        AllRows(parameters.Column(), (sql, column) => $"{sql.Quote(column)} is not null");

    /// <summary>A row violates the check when its value is null, blank, or one of <c>params.values</c>.</summary>
    public static CheckKind Missing(CheckParameters parameters)
    {
        var values = parameters.Scalars("values", required: false);
        return AllRows(parameters.Column(), (sql, column) =>
        {
            var name = sql.Quote(column);
            var listed = values.Count == 0 ? ""
                : $" or {sql.AsText(name)} in ({string.Join(", ", values.Select(value => sql.Text(TextOf(value))))})";
            return $"{name} is null or {sql.Trim(name)} = ''{listed}";
        });
    }

    public static CheckKind AcceptedValues(CheckParameters parameters)
    {
        var values = parameters.Scalars("values");
        return NonNull(parameters.Column(),
            (sql, name) => values.Count == 0 ? $"{name} is not null" : In(sql, name, values, not: true),
            $"{{\"values\":{Json(values)}}}");
    }

    public static CheckKind ForbiddenValues(CheckParameters parameters)
    {
        var values = parameters.Scalars("values");
        return NonNull(parameters.Column(), (sql, name) => values.Count == 0 ? "1 = 0" : In(sql, name, values, not: false),
            $"{{\"forbidden\":{Json(values)}}}");
    }

    public static CheckKind Range(CheckParameters parameters)
    {
        var bounds = Bounds.Required(parameters);
        return NonNull(parameters.Column(), bounds.Outside, bounds.ToJson());
    }

    public static CheckKind Length(CheckParameters parameters)
    {
        var bounds = Bounds.Required(parameters, allowEmpty: true);
        foreach (var (name, bound) in new[] { ("min", bounds.Min), ("max", bounds.Max) })
        {
            if (bound is { } length && length.ValueKind != JsonValueKind.Number)
            {
                parameters.Wrong(name, "must be a number of characters.");
            }
        }

        return NonNull(parameters.Column(), (sql, name) => bounds.Outside(sql, sql.Length(name)), bounds.ToJson());
    }

    public static CheckKind Pattern(CheckParameters parameters)
    {
        var negated = parameters.Flag("negated");
        var (regex, like) = (parameters.Texts("regex", 100, allowEmpty: true), parameters.Texts("like", 100, allowEmpty: true));
        var format = parameters.Has("format") ? parameters.Word("format", [.. Formats.Keys]) : null;
        var anyOf = parameters.Word("match", "any", "all") == "any";
        if ((regex.Count > 0 ? 1 : 0) + (like.Count > 0 ? 1 : 0) + (format is null ? 0 : 1) != 1)
        {
            parameters.Wrong("regex", "is missing, or is given with like or format. Set exactly one of regex, like and format.");
        }

        return NonNull(parameters.Column(), (sql, name) =>
        {
            var matches = format is not null ? [sql.Matches(name, Formats[format])]
                : regex.Count > 0 ? regex.Select(pattern => sql.Matches(name, pattern))
                : like.Select(pattern => sql.Like(name, pattern));
            var match = string.Join(anyOf ? " or " : " and ", matches.Select(condition => $"({condition})"));
            return negated ? match : $"not ({match})";
        }, format is not null ? $"{{\"format\":\"{format}\"}}" : null);
    }

    /// <summary>
    /// Compares two columns of each row. A row with a null in one of the columns is judged only when
    /// <c>params.nulls</c> is <c>fail</c>.
    /// </summary>
    public static CheckKind CompareColumns(CheckParameters parameters)
    {
        var columns = parameters.Columns();
        if (columns.Count != 2)
        {
            parameters.Add("/columns", "must name two columns.");
        }

        var comparison = parameters.Word("operator", "=", "<>", "!=", "<", "<=", ">", ">=");
        comparison = comparison == "!=" ? "<>" : comparison;
        var nullsFail = parameters.Word("nulls", "ignore", "fail") == "fail";
        var (first, second) = columns.Count == 2 ? (columns[0], columns[1]) : ("", "");
        string Present(WarehouseSql sql) => $"{sql.Quote(first)} is not null and {sql.Quote(second)} is not null";
        string Holds(WarehouseSql sql) => $"{sql.Quote(first)} {comparison} {sql.Quote(second)}";
        return nullsFail
            // Two nulls count as equal. A null and a value count as different.
            ? Rows(null, sql => $"case when {Present(sql)} then case when {Holds(sql)} then 0 else 1 end when {sql.Quote(first)} is null "
                + $"and {sql.Quote(second)} is null then {(comparison is "=" or "<=" or ">=" ? 0 : 1)} else {(comparison == "<>" ? 0 : 1)} "
                + "end = 1", columns, null)
            : Rows(Present, sql => $"not ({Holds(sql)})", columns, null);
    }

    /// <summary>
    /// A condition in SQL that each row must meet. A row for which the condition is null is not judged.
    /// </summary>
    public static CheckKind Expression(CheckParameters parameters)
    {
        var expression = parameters.Condition("expression");
        if (expression is null)
        {
            parameters.Wrong("expression", "is required: a condition in SQL that each row must meet.");
        }

        // Not every engine accepts "(condition) is not null", so this is a case expression.
        return Rows(_ => $"case when ({expression}) then 1 when not ({expression}) then 0 end is not null", _ => $"not ({expression})",
            parameters.Columns(), null);
    }

    private static CheckKind AllRows(string column, Func<WarehouseSql, string, string> violation) =>
        Rows(null, sql => violation(sql, column), [column], null);

    // A condition is not true for a null, so the count of violating rows needs no test for null.
    private static CheckKind NonNull(string column, Func<WarehouseSql, string, string> violation, string? expected) =>
        Rows(sql => $"{sql.Quote(column)} is not null", sql => violation(sql, sql.Quote(column)), [column], expected) with
        {
            Scan = scan => new(
                [scan.Count(violation(scan.Sql, scan.Sql.Quote(column))), $"count({scan.Value(scan.Sql.Quote(column))})"],
                values => Measure.OfRows(values.Span[0], values.Span[1])),
        };

    // Builds a kind from two conditions. The first selects the judged rows (null selects all rows); the second selects
    // the rows that violate the check.
    private static CheckKind Rows(Func<WarehouseSql, string>? judged, Func<WarehouseSql, string> violation, IReadOnlyList<string> columns,
        string? expected)
    {
        string Violating(WarehouseSql sql) => judged is null ? violation(sql) : $"{judged(sql)} and ({violation(sql)})";
        return new()
        {
            Scan = scan => new(
                [scan.Count(Violating(scan.Sql)), judged is null ? scan.Rows : scan.Count(judged(scan.Sql))],
                values => Measure.OfRows(values.Span[0], values.Span[1])),
            Violation = Violating,
            CountsRows = true,
            SampleColumns = columns,
            Expected = expected,
        };
    }

    // Values of several JSON types are compared as text, because a server with strict types rejects a mixed list.
    public static string In(WarehouseSql sql, string name, IReadOnlyList<JsonElement> values, bool not)
    {
        var mixed = values.Select(value => value.ValueKind is JsonValueKind.True ? JsonValueKind.False : value.ValueKind).Distinct()
            .Count() > 1;
        var list = string.Join(", ", values.Select(value => mixed ? sql.Text(TextOf(value)) : sql.Literal(value)));
        return $"{(mixed ? sql.AsText(name) : name)} {(not ? "not in" : "in")} ({list})";
    }

    private static string TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static string Json(IReadOnlyList<JsonElement> values) => $"[{string.Join(',', values.Select(value => value.GetRawText()))}]";
}
