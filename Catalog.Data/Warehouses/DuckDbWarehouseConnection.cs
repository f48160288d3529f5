using System.Data.Common;
using System.Runtime.InteropServices;
using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace Catalog.Data.Warehouses;

/// <summary>A connection to a DuckDB file that can only read.</summary>
internal sealed partial class DuckDbWarehouseConnection(DuckDBConnection connection, WarehouseLimits limits)
    : WarehouseConnection(connection)
{
    private CancellationTokenRegistration _stop;
    private CancellationTokenSource? _limit;
    private IReadOnlySet<int> _numbers = new HashSet<int>();

    /// <inheritdoc />
    public override bool IsBlocking => true;

    /// <inheritdoc />
    public override Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        Release();
        (sql, _numbers) = ReadableSelect(sql);
        _limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _stop = _limit.Token.Register(connection.NativeConnection.Interrupt);
        _limit.CancelAfter(limits.Timeout);
        var command = connection.CreateCommand();
        command.CommandText = sql;
        // Without streaming, the engine would keep the whole result in memory.
        command.UseStreamingMode = true;
        return Task.FromResult<DbDataReader>(command.ExecuteReader());
    }

    /// <inheritdoc />
    public override object ReadValue(DbDataReader reader, int column) => _numbers.Contains(column)
        ? WarehouseValues.Number(reader.GetString(column)) : base.ReadValue(reader, column);

    // The driver runs every statement of a text, of any type. So DuckDB's own parser reads the text first.
    private (string Sql, IReadOnlySet<int> Numbers) ReadableSelect(string sql)
    {
        var native = connection.NativeConnection;
        var count = NativeMethods.ExtractStatements.DuckDBExtractStatements(native, sql, out var statements);
        using (statements)
        {
            if (count > 1)
            {
                throw WarehouseMessages.OneStatement();
            }

            // If there is no statement, or it cannot be prepared, the text has an error. The driver reports it later.
            if (count == 1 && NativeMethods.ExtractStatements.DuckDBPrepareExtractedStatement(native, statements, 0, out var prepared)
                is var state)
            {
                using (prepared)
                {
                    if (state == DuckDBState.Success)
                    {
                        return TypeOf(prepared) == (int)DuckDBStatementType.Select ? DuckDbColumns.Readable(sql, prepared)
                            : throw WarehouseMessages.OneStatement();
                    }
                }
            }
        }

        return (sql, new HashSet<int>());
    }

    // The driver has no method for this function of DuckDB.
    [LibraryImport("duckdb", EntryPoint = "duckdb_prepared_statement_type")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int TypeOf(DuckDBPreparedStatement statement);

    /// <inheritdoc />
    public override ValueTask DisposeAsync()
    {
        Release();
        return base.DisposeAsync();
    }

    // The connection must stay open during an interrupt, so this waits until a running interrupt has ended.
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
        // The driver often does not set the type of an error, but the message begins with the type.
        DuckDBException { Message: var message } => message.Split(" Error:")[0] switch
        {
            "INTERRUPT" => WarehouseMessages.Timeout(limits),
            "Permission" => WarehouseMessages.Refused("Only statements that read tables of this file can run here."),
            "Out of Memory" =>
                WarehouseMessages.TooMuchData("The statement needs more memory than the service allows. Read fewer rows or columns."),
            "Catalog" when message.Contains("Table with name", StringComparison.Ordinal) => WarehouseMessages.TableMissing(),
            "Binder" when message.Contains("olumn", StringComparison.Ordinal) => WarehouseMessages.ColumnMissing(),
            var type => WarehouseMessages.Sql(type.Length <= 20 ? type : null),
        },
        _ => WarehouseMessages.Unreadable(),
    };
}
