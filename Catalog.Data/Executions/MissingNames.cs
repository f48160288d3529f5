using Catalog.Data.Executions.Kinds;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>Names the table or the column that a statement of a check misses: engines name them in texts of their own.</summary>
internal static class MissingNames
{
    /// <summary>Why the statement of a check failed.</summary>
    /// <param name="session">The warehouse; it may be another session afterwards.</param>
    /// <param name="check">The check.</param>
    /// <param name="failure">What the statement failed with.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<string> Describe(ReopenedSession session, CheckDefinition check, WarehouseException failure,
        CancellationToken ct)
    {
        if (failure.Problem is not (WarehouseProblem.TableMissing or WarehouseProblem.ColumnMissing))
        {
            return failure.Message;
        }

        var parameters = check.Parameters;
        (string? Table, IEnumerable<string?> Columns)[] named =
        [
            (check.Table, parameters.Columns().Concat(check.GroupBy)),
            (parameters.Text("to_table"), [parameters.Text("to_column")]),
            (check.Kind.Other is { ConnectionId: null } other ? other.Table : null, []),
        ];
        foreach (var (table, names) in named)
        {
            if (table is { Length: > 0 } && await session.Columns(table, ct) is { } columns)
            {
                if (columns.Count == 0)
                {
                    return $"the table {table} does not exist, or the user of the connection may not see it.";
                }

                if (names.OfType<string>().FirstOrDefault(name => !columns.Contains(name)) is { } missing)
                {
                    return OfColumn(table, missing);
                }
            }
        }

        return failure.Message;
    }

    /// <summary>The text for a column that a table does not have.</summary>
    public static string OfColumn(string table, string column) => $"the table {table} has no column {column}.";
}
