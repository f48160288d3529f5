using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;

namespace Catalog.Data.Warehouses;

/// <summary>
/// A connection to SQL Server in a transaction that is rolled back at its end. SQL Server has no read-only transaction:
/// the user of the connection must only have the right to select.
/// </summary>
internal sealed class SqlServerConnection(SqlConnection connection, WarehouseLimits limits) : WarehouseConnection(connection)
{
    internal const string BeginSql =
        "set xact_abort on; set lock_timeout 5000; set implicit_transactions off; set transaction isolation level read committed; "
        + "set quoted_identifier on; begin transaction";

    private SqlCommand? _running;

    /// <summary>Starts the transaction.</summary>
    public static async Task Begin(SqlConnection connection, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = BeginSql;
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <inheritdoc />
    public override async Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        _running = connection.CreateCommand();
        _running.CommandText = sql;
        _running.CommandTimeout = (int)Math.Ceiling(limits.Timeout.TotalSeconds);
        return await _running.ExecuteReaderAsync(CommandBehavior.SequentialAccess | CommandBehavior.SingleResult, ct);
    }

    /// <inheritdoc />
    // A long text or binary value is read in parts, and never more of it than the limit.
    public override object ReadValue(DbDataReader reader, int column)
    {
        if (reader.GetFieldType(column) == typeof(string))
        {
            var buffer = new char[limits.MaxValueBytes + 1];
            return new string(buffer, 0, (int)reader.GetChars(column, 0, buffer, 0, buffer.Length));
        }

        if (reader.GetFieldType(column) == typeof(byte[]))
        {
            var buffer = new byte[limits.MaxValueBytes + 1];
            return buffer[..(int)reader.GetBytes(column, 0, buffer, 0, buffer.Length)];
        }

        return reader.GetValue(column);
    }

    /// <inheritdoc />
    public override Task Abort(DbDataReader? reader)
    {
        // The server stops sending; the driver would read the rest otherwise.
        _running?.Cancel();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override WarehouseException Translate(Exception exception) => exception switch
    {
        SqlException { Number: -2 or 1222 } => WarehouseMessages.TimedOut(),
        SqlException { Number: 208 } => WarehouseMessages.TableMissing(),
        SqlException { Number: 207 } => WarehouseMessages.ColumnMissing(),
        SqlException { Number: 229 or 230 or 262 } => WarehouseMessages.PermissionDenied(),
        SqlException { Class: < 20, Number: > 0 and var number } => WarehouseMessages.Sql($"{number}"),
        InvalidCastException or OverflowException or NotSupportedException or FormatException => WarehouseMessages.Unreadable(),
        _ => WarehouseMessages.Unreachable(),
    };
}
