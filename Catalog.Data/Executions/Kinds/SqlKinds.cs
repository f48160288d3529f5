using System.Buffers;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions.Kinds;

/// <summary>The kinds whose statement the user wrote.</summary>
internal static class SqlKinds
{
    private static readonly SearchValues<char> OfPaths =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/\\~@");

    /// <summary>Each row that the statement returns is a violation.</summary>
    public static CheckKind Rows(CheckParameters parameters)
    {
        var sql = Statement(parameters);
        return new()
        {
            HasWhere = false,
            Statement = context => new(
                $"select count(*) from ({SqlGuard.Statement(sql, context.Sql.Family)}) as violations", rows =>
                {
                    var failed = MeasuredValues.Count(rows.Rows[0][0]);
                    return new() { Number = failed, Exact = failed, Failed = failed, Violated = failed > 0 };
                }),
        };
    }

    /// <summary>The statement returns one number, which is compared with the thresholds or with min and max.</summary>
    public static CheckKind Value(CheckParameters parameters)
    {
        var (sql, bounds) = (Statement(parameters), Bounds.Read(parameters));
        return new()
        {
            HasWhere = false,
            Statement = context => new(SqlGuard.Statement(sql, context.Sql.Family), rows => rows.Rows is [[{ } value]]
                ? Measure.OfValue(value, bounds)
                : new() { Problem = "the statement must return one row with one value that is not null." }),
            Expected = bounds?.ToJson(),
            NeedsThreshold = bounds is null,
        };
    }

    /// <summary>
    /// A statement without a kind. A number could be a count of violations or a measured value. So only a result of one
    /// row with true or false is judged.
    /// </summary>
    public static CheckKind Bare(CheckParameters parameters)
    {
        var sql = Statement(parameters);
        return new()
        {
            HasWhere = false,
            Statement = context => new(SqlGuard.Statement(sql, context.Sql.Family), rows => rows.Rows is [[bool holds]]
                ? new() { Number = holds ? 1 : 0, Observed = holds ? "true" : "false", Violated = !holds }
                : new()
                {
                    Problem = "the kind is missing, and the result is not one boolean. Set kind to sql_rows if each row is a violation, or "
                        + "to sql_value with a threshold if the result is a number.",
                }),
        };
    }

    private static string Statement(CheckParameters parameters)
    {
        if (parameters.Sql is not { Length: > 0 } sql)
        {
            parameters.Add("/sql", "is required for this kind.");
            return "";
        }

        // The text has only characters of file paths. A statement also has a space, a parenthesis or a quote.
        if (!sql.AsSpan().Trim().ContainsAnyExcept(OfPaths))
        {
            parameters.Add("/sql", "is a path or a name. The service cannot read files of the pipeline: send the text of the statement.");
        }

        return sql;
    }
}
