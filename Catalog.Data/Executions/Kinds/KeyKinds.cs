using System.Text.Json;

namespace Catalog.Data.Executions.Kinds;

/// <summary>The kinds that group rows or join tables. Each check of these kinds needs its own statement.</summary>
internal static class KeyKinds
{
    /// <summary>
    /// Each value occurs once. <c>params.measure</c> says what is counted as failed: all rows with a repeated value
    /// (the default), the repeated values, or the surplus rows. A row is not judged when all columns of the check are
    /// null.
    /// </summary>
    public static CheckKind Unique(CheckParameters parameters)
    {
        var columns = parameters.Columns();
        if (columns.Count == 0)
        {
            parameters.Add("/column", "is required. To check a combination of columns, set columns instead.");
        }

        var measure = parameters.Word("measure", "rows", "values", "surplus");
        return new()
        {
            CountsRows = true,
            Statement = context =>
            {
                var names = columns.Select(context.Sql.Quote).ToList();
                var present = string.Join(" or ", names.Select(name => $"{name} is not null"));
                var sql = $"""
                    select sum(case when n > 1 then n end), sum(case when n > 1 then 1 end), sum(n - 1), sum(n), count(*)
                    from (
                        select count(*) as n from {context.Table}{context.Filter(present)} group by {string.Join(", ", names)}) as repeated
                    """;
                return new(sql, rows =>
                {
                    var found = rows.Rows[0];
                    var failed = found[measure == "rows" ? 0 : measure == "values" ? 1 : 2];
                    return Measure.OfRows(failed, found[measure == "values" ? 4 : 3]) with
                    {
                        Facts = new Dictionary<string, string>(StringComparer.Ordinal)
                        {
                            ["duplicate_rows"] = MeasuredValues.Json(MeasuredValues.Count(found[0])),
                            ["duplicate_values"] = MeasuredValues.Json(MeasuredValues.Count(found[1])),
                        },
                    };
                });
            },
        };
    }

    /// <summary>Each value occurs in a column of another table of the same warehouse.</summary>
    public static CheckKind Relationships(CheckParameters parameters)
    {
        var (column, to, field) = (parameters.Column(), parameters.Required("to_table"), parameters.Required("to_column"));
        return new()
        {
            Statement = context =>
            {
                var (name, parent) = (context.Sql.Quote(column), context.Sql.Quote(field));
                var sql = $"""
                    select count(case when parents.k is null then 1 end), count(*)
                    from (select {name} as k from {context.Table}{context.Filter($"{name} is not null")}) as children
                    left join (select distinct {parent} as k from {context.Sql.Table(to)} where {parent} is not null) as parents
                        on parents.k = children.k
                    """;
                return new(sql, rows => Measure.OfRows(rows.Rows[0][0], rows.Rows[0][1]));
            },
            // The first name stands outside the subquery, so it cannot mean a column of the other table.
            Violation = sql => $"{sql.Quote(column)} is not null and {sql.Quote(column)} not in (select {sql.Quote(field)} "
                + $"from {sql.Table(to)} where {sql.Quote(field)} is not null)",
            CountsRows = true,
            SampleColumns = [column],
            Expected = JsonSerializer.Serialize(new { to_table = to, to_column = field }),
        };
    }

    /// <summary>
    /// The value that occurs most often is in a list. If several values occur equally often, the check fails; but if
    /// <c>params.ties</c> is <c>any</c>, it passes when one of them is in the list. The number is 0 when the check
    /// passes. Otherwise it is the number of most frequent values that are not in the list, at least 1.
    /// </summary>
    public static CheckKind MostCommonValue(CheckParameters parameters)
    {
        var (column, values) = (parameters.Column(), parameters.Scalars("values"));
        var anyTie = parameters.Word("ties", "fail", "any") == "any";
        return new()
        {
            Statement = context =>
            {
                var name = context.Sql.Quote(column);
                // The warehouse compares the values, because it has types that JSON does not have.
                var listed = values.Count == 0 ? "1 = 0" : RowKinds.In(context.Sql, name, values, not: false);
                var sql = $"""
                    select max(n), count(*), sum(listed) from (
                        select count(*) as n, max(case when {listed} then 1 else 0 end) as listed, max(count(*)) over () as most
                        from {context.Table}{context.Filter($"{name} is not null")} group by {name}) as ranked
                    where n = most
                    """;
                return new(sql, rows =>
                {
                    var row = rows.Rows[0];
                    var (common, accepted) = (MeasuredValues.Count(row[1]), MeasuredValues.Count(row[2]));
                    if (common == 0)
                    {
                        return Measure.OfValue(null, null);
                    }

                    var passes = anyTie ? accepted > 0 : common == 1 && accepted == 1;
                    return new()
                    {
                        Number = passes ? 0 : Math.Max(1, common - accepted),
                        Violated = !passes,
                        Facts = new Dictionary<string, string>(StringComparer.Ordinal)
                        {
                            ["most_common_rows"] = MeasuredValues.Json(MeasuredValues.Count(row[0])),
                            ["most_common_values"] = MeasuredValues.Json(common),
                        },
                    };
                });
            },
            Expected = $"{{\"values\":[{string.Join(',', values.Select(value => value.GetRawText()))}]}}",
        };
    }
}
