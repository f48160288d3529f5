using System.Data.Common;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Catalog.Data.Warehouses;

/// <summary>
/// A connection to a SQLite file that can only read. The file comes from other people, so SQLite checks its pages and
/// does not let its views call unsafe functions.
/// </summary>
internal sealed class SqliteWarehouseConnection : WarehouseConnection
{
    // SQLite reports an error for a larger value before it allocates memory for the value.
    private const int MaxLength = 16 * 1024 * 1024;

    private static readonly string[] Pragmas = ["table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"];

    private readonly SqliteConnection _connection;
    private readonly TimeSpan _timeout;
    private long _end;
    private CancellationToken _ct;

    public SqliteWarehouseConnection(SqliteConnection connection, WarehouseLimits limits) : base(connection)
    {
        (_connection, _timeout) = (connection, limits.Timeout);
        Run(connection, "pragma query_only = on; pragma trusted_schema = off; pragma cell_size_check = on; pragma mmap_size = 0; "
            + "pragma busy_timeout = 5000");
        var handle = connection.Handle!;
        // The limits of: the length of a value, the length of a statement, the depth of expressions, attached
        // databases.
        raw.sqlite3_limit(handle, 0, MaxLength);
        raw.sqlite3_limit(handle, 1, 1024 * 1024);
        raw.sqlite3_limit(handle, 3, 200);
        raw.sqlite3_limit(handle, 7, 0);
        // All statements of the session read one snapshot, which the first query takes.
        Run(connection, "begin; select count(*) from sqlite_master");
        raw.sqlite3_progress_handler(handle, 1000, _ => Environment.TickCount64 > Volatile.Read(ref _end) || _ct.IsCancellationRequested
            ? 1 : 0, null);
        raw.sqlite3_set_authorizer(handle, Authorize, null);
    }

    /// <inheritdoc />
    public override bool IsBlocking => true;

    /// <summary>Runs a statement of this service, not of a user.</summary>
    /// <returns>The first value of the first row.</returns>
    public static object? Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    /// <inheritdoc />
    public override Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        _ct = ct;
        Volatile.Write(ref _end, Environment.TickCount64 + (long)_timeout.TotalMilliseconds);
        RequireOneStatement(sql);
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        return Task.FromResult<DbDataReader>(command.ExecuteReader());
    }

    // The driver would run every statement of a text, so a text with more than one statement is rejected.
    private void RequireOneStatement(string sql)
    {
        for (var (rest, count) = (sql, 0); rest.Length > 0;)
        {
            var result = raw.sqlite3_prepare_v2(_connection.Handle, rest, out var statement, out var tail);
            // If the statement is invalid without an error, only a comment or white space was left.
            var isStatement = result != raw.SQLITE_OK || statement is { IsInvalid: false };
            statement?.Dispose();
            if (isStatement && ++count > 1)
            {
                throw WarehouseMessages.OneStatement();
            }

            // An error ends the loop. If it is in the first statement, the driver reports it later.
            rest = result == raw.SQLITE_OK ? tail ?? "" : "";
        }
    }

    private static int Authorize(object? data, int action, string? first, string? second, string? database, string? trigger) =>
        action switch
        {
            raw.SQLITE_SELECT or raw.SQLITE_READ or raw.SQLITE_RECURSIVE => raw.SQLITE_OK,
            raw.SQLITE_FUNCTION => second is "load_extension" or "fts3_tokenizer" or "edit" ? raw.SQLITE_DENY : raw.SQLITE_OK,
            raw.SQLITE_PRAGMA => Pragmas.Contains(first, StringComparer.OrdinalIgnoreCase) ? raw.SQLITE_OK : raw.SQLITE_DENY,
            _ => raw.SQLITE_DENY,
        };

    /// <inheritdoc />
    public override WarehouseException Translate(Exception exception) => exception switch
    {
        SqliteException { SqliteErrorCode: raw.SQLITE_INTERRUPT } => WarehouseMessages.TimedOut(),
        SqliteException { SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED } => WarehouseMessages.FileLocked(),
        SqliteException { SqliteErrorCode: raw.SQLITE_AUTH or raw.SQLITE_READONLY } =>
            WarehouseMessages.Refused("Only statements that read can run here, and none that opens another file."),
        SqliteException { SqliteErrorCode: raw.SQLITE_TOOBIG } =>
            WarehouseMessages.TooMuchData("A value of the result is too large. Select a part of it, or its length."),
        SqliteException { SqliteErrorCode: raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB } =>
            WarehouseMessages.Refused("The file of the connection is damaged. Restore it."),
        SqliteException { Message: var message } when message.Contains("no such table", StringComparison.Ordinal) =>
            WarehouseMessages.TableMissing(),
        SqliteException { Message: var message } when message.Contains("no such column", StringComparison.Ordinal) =>
            WarehouseMessages.ColumnMissing(),
        SqliteException { SqliteErrorCode: var code } => WarehouseMessages.Sql($"{code}"),
        _ => WarehouseMessages.Unreadable(),
    };
}
