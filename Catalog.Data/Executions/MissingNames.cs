using Catalog.Data.Executions.Kinds;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>
/// Finds the missing table or column that made the statement of a check fail. It does not read the names from the error
/// of the engine, because each engine has its own error texts.
/// </summary>
internal static class MissingNames
{
    /// <summary>Why the statement of a check failed.</summary>
    /// <param name="session">The session with the warehouse. A failed statement closes it.</param>
    /// <param name="check">The check.</param>
    /// <param name="failure">The error of the statement.</param>
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
                    return $"the table {table} does not exist, or the user of the connection has no permission to read it. Correct the "
                        + "name, or grant the permission.";
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
