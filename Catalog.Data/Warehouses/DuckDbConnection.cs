using System.Data.Common;
using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace Catalog.Data.Warehouses;

/// <summary>A connection to a DuckDB file that can only read.</summary>
internal sealed class DuckDbConnection(DuckDBConnection connection, WarehouseLimits limits) : WarehouseConnection(connection)
{
    private CancellationTokenRegistration _stop;
    private CancellationTokenSource? _limit;

    /// <inheritdoc />
    public override bool IsBlocking => true;

    /// <inheritdoc />
    public override Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        Release();
        RequireOneStatement(sql);
        _limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _stop = _limit.Token.Register(connection.NativeConnection.Interrupt);
        _limit.CancelAfter(limits.Timeout);
        var command = connection.CreateCommand();
        command.CommandText = sql;
        // Otherwise the engine keeps the whole result in memory.
        command.UseStreamingMode = true;
        return Task.FromResult<DbDataReader>(command.ExecuteReader());
    }

    // The driver runs every statement of a text. DuckDB's own parser counts them here.
    private void RequireOneStatement(string sql)
    {
        var count = NativeMethods.ExtractStatements.DuckDBExtractStatements(connection.NativeConnection, sql, out var statements);
        using (statements)
        {
            // 0: a syntax error, which the driver reports.
            if (count > 1)
            {
                throw WarehouseMessages.OneStatement();
            }
        }
    }

    /// <inheritdoc />
    public override ValueTask DisposeAsync()
    {
        Release();
        return base.DisposeAsync();
    }

    // Waits for a running interrupt: its connection must be open.
    private void Release()
    {
        _stop.Dispose();
        _limit?.Dispose();
        _limit = null;
    }

    /// <inheritdoc />
    public override WarehouseException Translate(Exception exception) => exception switch
    {
        _ when _limit is { IsCancellationRequested: true } => WarehouseMessages.Timeout(limits),
        DuckDBException { ErrorType: DuckDBErrorType.Interrupt } => WarehouseMessages.Timeout(limits),
        DuckDBException { ErrorType: DuckDBErrorType.Permission } =>
            WarehouseMessages.Refused("Only statements that read tables of this file can run here."),
        DuckDBException { ErrorType: DuckDBErrorType.OutOfMemory } =>
            WarehouseMessages.TooMuchData("The statement needs more memory than this service gives to a statement."),
        DuckDBException { ErrorType: DuckDBErrorType.Catalog, Message: var message }
            when message.Contains("Table with name", StringComparison.Ordinal) => WarehouseMessages.TableMissing(),
        DuckDBException { ErrorType: DuckDBErrorType.Binder, Message: var message }
            when message.Contains("olumn", StringComparison.Ordinal) => WarehouseMessages.ColumnMissing(),
        DuckDBException { ErrorType: var type } => WarehouseMessages.Sql($"{type}"),
        _ => WarehouseMessages.Unreadable(),
    };
}
