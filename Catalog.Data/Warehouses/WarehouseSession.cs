using System.Data.Common;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Warehouses;

/// <summary>The rows of a result.</summary>
/// <param name="Columns">The names of the columns.</param>
/// <param name="Rows">
/// The values of each row. A value is null, bool, long, decimal, double, string or <see cref="DateTimeOffset"/>.
/// </param>
/// <param name="Truncated">Whether the result has more rows.</param>
public sealed record WarehouseRows(IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows, bool Truncated);

/// <summary>A connection to a warehouse that can only read. It runs one statement at a time.</summary>
/// <param name="connection">An open connection, which the session closes.</param>
/// <param name="transaction">The read-only transaction, which is rolled back at the end; null on engines without.</param>
/// <param name="sql">How SQL is written for this warehouse.</param>
/// <param name="limits">What one statement may use.</param>
/// <param name="translate">Turns an exception of the driver into one for users.</param>
public sealed class WarehouseSession(DbConnection connection, DbTransaction? transaction, WarehouseSql sql, WarehouseLimits limits,
    Func<Exception, WarehouseException> translate) : IAsyncDisposable
{
    /// <summary>How SQL is written for this warehouse.</summary>
    public WarehouseSql Sql { get; } = sql;

    /// <summary>The number of statements that <see cref="Query"/> sent.</summary>
    public int Statements { get; private set; }

    /// <summary>Runs one statement.</summary>
    /// <exception cref="WarehouseException">The statement failed, or its result is too large.</exception>
    public async Task<WarehouseRows> Query(string text, CancellationToken ct)
    {
        Statements++;
        try
        {
            await using var command = connection.CreateCommand();
            command.CommandText = text;
            command.Transaction = transaction;
            command.CommandTimeout = (int)Math.Ceiling(limits.Timeout.TotalSeconds) + 1;
            await using var reader = await command.ExecuteReaderAsync(ct);
            string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
            var rows = new List<object?[]>();
            while (rows.Count < limits.MaxRows && await reader.ReadAsync(ct))
            {
                var values = new object?[columns.Length];
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
                }

                rows.Add(values);
            }

            return new(columns, rows, rows.Count == limits.MaxRows && await reader.ReadAsync(ct));
        }
        catch (Exception exception) when (exception is not (WarehouseException or OperationCanceledException))
        {
            throw translate(exception);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (transaction is not null)
        {
            await transaction.DisposeAsync();
        }

        await connection.DisposeAsync();
    }
}
