using System.Data;
using System.Data.Common;
using System.Globalization;
using MySqlConnector;

namespace Catalog.Data.Warehouses;

/// <summary>A connection to a MySQL or MariaDB warehouse in a read-only transaction.</summary>
internal sealed class MySqlWarehouseConnection(MySqlConnection connection, LimitedRelay relay) : WarehouseConnection(connection, relay)
{
    /// <summary>Starts the transaction and sets the limits of the session.</summary>
    public static async Task Begin(MySqlConnection connection, WarehouseLimits limits, CancellationToken ct)
    {
        var seconds = limits.Timeout.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
        // The two servers have different names and units for the same limit.
        var timeout = connection.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase)
            ? $"max_statement_time = {seconds}" : $"max_execution_time = {(long)limits.Timeout.TotalMilliseconds}";
        await using var command = connection.CreateCommand();
        // The SQL of this service needs a mode in which text is quoted as expected. Later transactions of the session
        // are read-only too.
        command.CommandText = $"""
            set session sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', lock_wait_timeout = 5, innodb_lock_wait_timeout = 5,
                wait_timeout = {(long)limits.Timeout.TotalSeconds + 60}, {timeout};
            set session transaction read only;
            set session transaction isolation level repeatable read;
            start transaction with consistent snapshot, read only
            """;
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <inheritdoc />
    public override async Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        // The protocol allows several statements in one text, but "prepare" rejects such a text.
        await using var prepare = connection.CreateCommand();
        prepare.CommandText = "set @catalog_statement = @text; prepare catalog_statement from @catalog_statement";
        prepare.Parameters.AddWithValue("@text", sql);
        await prepare.ExecuteNonQueryAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "execute catalog_statement";
        return await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, ct);
    }

    /// <inheritdoc />
    // GetValue reads only numbers of up to 28 digits.
    public override object ReadValue(DbDataReader reader, int column) => reader.GetDataTypeName(column) == "DECIMAL"
        ? WarehouseValues.Number(((MySqlDataReader)reader).GetMySqlDecimal(column).ToString()) : base.ReadValue(reader, column);

    /// <inheritdoc />
    public override async Task Abort(DbDataReader? reader)
    {
        if (reader is null or { IsClosed: true })
        {
            return;
        }

        // Cancelling a read breaks the connection, as intended. Closing the reader would read all remaining rows.
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        try
        {
            while (await reader.ReadAsync(soon.Token))
            {
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or MySqlException or InvalidOperationException)
        {
        }
    }

    /// <inheritdoc />
    public override WarehouseException Translate(Exception exception) => exception switch
    {
        MySqlException
        {
            ErrorCode: MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryTimeout or MySqlErrorCode.QueryInterrupted
            or MySqlErrorCode.LockWaitTimeout
        } => WarehouseMessages.TimedOut(),
        // The code of MariaDB for max_statement_time.
        MySqlException { Number: 1969 } => WarehouseMessages.TimedOut(),
        MySqlException { ErrorCode: MySqlErrorCode.NoSuchTable or MySqlErrorCode.UnknownDatabase } => WarehouseMessages.TableMissing(),
        MySqlException { ErrorCode: MySqlErrorCode.BadFieldError } => WarehouseMessages.ColumnMissing(),
        MySqlException
        {
            ErrorCode: MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied
            or MySqlErrorCode.DatabaseAccessDenied
        } => WarehouseMessages.PermissionDenied(),
        MySqlException { ErrorCode: MySqlErrorCode.CannotExecuteInReadOnlyTransaction } => WarehouseMessages.NoRows(),
        MySqlException { Number: > 0 and var number } => WarehouseMessages.Sql($"{number}"),
        InvalidCastException or OverflowException or NotSupportedException or FormatException => WarehouseMessages.Unreadable(),
        _ => WarehouseMessages.Unreachable(),
    };
}
