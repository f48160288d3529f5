using System.Data.Common;
using System.Text.RegularExpressions;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Catalog.Migrations.Transfer;

/// <summary>A snapshot of a SQLite file: a read-only connection with one transaction, so concurrent writes are not visible.</summary>
internal sealed partial class SqliteSnapshot : IDisposable
{
    private readonly string _path;
    private readonly SqliteConnection _connection;

    private SqliteSnapshot(string path)
    {
        _path = path;
        _connection = Open(path);
    }

    /// <summary>The connection, for statements about the schema and the migration journal.</summary>
    public DbConnection Connection => _connection;

    /// <summary>Opens the file and begins the transaction.</summary>
    /// <exception cref="DbException">The file is unreadable or not a database.</exception>
    public static SqliteSnapshot Take(string path)
    {
        var snapshot = new SqliteSnapshot(path);
        try
        {
            // The snapshot starts at the first read, not at begin.
            snapshot._connection.Execute("begin; select count(*) from sqlite_master");
            return snapshot;
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    /// <summary>Returns the reason why the file is unreadable, as a sentence; null if the error has another cause.</summary>
    public static string? WhyUnusable(DbException exception) => exception is not SqliteException { SqliteErrorCode: var code }
        ? null : code switch
        {
            11 or 26 => "the file is not a SQLite database, or is damaged. Nothing more was written. Restore a backup, or repair it with "
                + "`sqlite3 OLD .recover | sqlite3 NEW`.",
            // Even a reader of a file in WAL mode creates the -wal and -shm files.
            8 or 14 or 3 => "the file cannot be opened: give this user permission to read it and to write to its folder.",
            5 or 6 => "another process kept the file locked. Stop that process, and start the transfer again.",
            _ => $"it cannot be read (SQLite error {code}). Check the disk, or restore a backup.",
        };

    /// <summary>
    /// Reads the tables except the migrator's, with their columns in declared order and the columns of their primary
    /// keys.
    /// </summary>
    public async Task<IReadOnlyList<(string Table, IReadOnlyList<string> Columns, IReadOnlyList<string> Key)>> Tables(CancellationToken ct)
    {
        const string Sql = """
            -- SqliteSnapshot.Tables
            select m.name as table_name, x.name as column_name, x.pk as place
            from sqlite_master m, pragma_table_xinfo(m.name) x
            where m.type = 'table' and lower(m.name) not in ('schemaversions', 'schema_history') and m.name not like 'sqlite\_%' escape '\'
                and x.hidden = 0
            order by m.name, x.cid
            """;

        var columns = await _connection.QueryAsync<(string Table, string Column, long Place)>(
            new CommandDefinition(Sql, cancellationToken: ct));
        return
        [
            .. columns.GroupBy(column => column.Table, StringComparer.Ordinal).Select(table => (
                table.Key,
                (IReadOnlyList<string>)[.. table.Select(column => column.Column)],
                (IReadOnlyList<string>)[.. table.Where(column => column.Place > 0).OrderBy(column => column.Place)
                    .Select(column => column.Column)])),
        ];
    }

    /// <summary>Reads the text encoding: <c>UTF-8</c> or a form of UTF-16.</summary>
    public Task<string?> Encoding(CancellationToken ct) =>
        _connection.ExecuteScalarAsync<string>(new CommandDefinition("pragma encoding", cancellationToken: ct));

    /// <summary>
    /// Counts the rows of a table without using an index, so that rows that are missing in a damaged index are counted
    /// too.
    /// </summary>
    public Task<long> Count(string table, CancellationToken ct) =>
        _connection.ExecuteScalarAsync<long>(
            new CommandDefinition($"select count(*) from {TransferTable.Quote(table)} not indexed", cancellationToken: ct));

    /// <summary>Checks the integrity of the file on a separate connection, so that it can run while rows are read.</summary>
    /// <returns>SQLite's messages; empty if the file is not damaged.</returns>
    public async Task<IReadOnlyList<string>> FindDamage(CancellationToken ct)
    {
        using var connection = Open(_path);
        await using var stop = ct.Register(() => raw.sqlite3_interrupt(connection.Handle!));
        var found = await connection.QueryAsync<string>(new CommandDefinition("pragma quick_check", cancellationToken: ct));
        // Preflight reports the rows that violate a constraint one by one. A transfer uses only the index of the
        // primary key, and checks the number of its rows and their order while it reads them. So the full
        // integrity_check, which takes ten times as long, is not needed.
        return [.. found.Where(line => line != "ok" && !RowBreaksRule().IsMatch(line))];
    }

    /// <summary>Finds the rows whose foreign keys refer to missing rows.</summary>
    public async Task<IReadOnlyList<(string Table, long? RowId, string Parent)>> Dangling(CancellationToken ct) =>
        (await _connection.QueryAsync<(string, long?, string)>(new CommandDefinition("pragma foreign_key_check", cancellationToken: ct)))
            .AsList();

    /// <summary>Starts to read the rows of a table in the order of its primary key.</summary>
    public SqliteRows Rows(TransferTable table)
    {
        var columns = string.Join(", ", table.Columns.Select(column => TransferTable.Quote(column.Name)));
        // This overrides the column's collation, because both engines can sort by bytes.
        var order = string.Join(", ", table.Key.Select(place => $"{TransferTable.Quote(table.Columns[place].Name)} collate binary"));
        string Sql(string rowId) => $"select {columns}, {rowId} from {TransferTable.Quote(table.Name)} order by {order}";
        // The first statement fails for a table declared "without rowid".
        return SqliteRows.TryPrepare(_connection, Sql("rowid"), table.Columns.Count)
            ?? SqliteRows.Prepare(_connection, Sql("null"), table.Columns.Count);
    }

    public void Dispose() => _connection.Dispose();

    private static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
                DefaultTimeout = 30
            }.ConnectionString);
        try
        {
            connection.Open();
            // With trusted_schema=off, expressions in an untrusted file cannot call functions with side effects. The
            // cache is large because the order of keys differs from the order of rows in the file.
            connection.Execute("pragma query_only=on; pragma trusted_schema=off; pragma cache_size=-65536");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    [GeneratedRegex("^(NULL value in|CHECK constraint failed in|NUMERIC value in|TEXT value in|non-[A-Z]+ value in) ")]
    private static partial Regex RowBreaksRule();
}

/// <summary>Reads the rows of a statement, one at a time, with each value as stored and without copying.</summary>
internal sealed class SqliteRows : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly nint _native;
    private readonly int _columns;

    private SqliteRows(sqlite3 database, sqlite3_stmt statement, int columns) =>
        (_database, _statement, _native, _columns) = (database, statement, statement.DangerousGetHandle(), columns);

    /// <summary>The rowid of the current row; null if the table has none.</summary>
    public long? RowId => raw.sqlite3_column_type(_statement, _columns) == raw.SQLITE_NULL
        ? null : raw.sqlite3_column_int64(_statement, _columns);

    public static SqliteRows? TryPrepare(SqliteConnection connection, string sql, int columns) =>
        raw.sqlite3_prepare_v2(connection.Handle!, sql, out var statement) == raw.SQLITE_OK
            ? new(connection.Handle!, statement, columns) : null;

    public static SqliteRows Prepare(SqliteConnection connection, string sql, int columns) =>
        TryPrepare(connection, sql, columns) ?? throw Failure(connection.Handle!);

    /// <returns>False after the last row.</returns>
    public bool Read() => raw.sqlite3_step(_statement) switch
    {
        raw.SQLITE_ROW => true,
        raw.SQLITE_DONE => false,
        _ => throw Failure(_database),
    };

    /// <summary>Returns a value of the current row, valid until the next <see cref="Read"/>.</summary>
    public StoredValue Value(int column) => (StorageClass)SqliteNative.Type(_native, column) switch
    {
        StorageClass.Integer => new(StorageClass.Integer, SqliteNative.Integer(_native, column), 0, default),
        StorageClass.Real => new(StorageClass.Real, 0, SqliteNative.Real(_native, column), default),
        StorageClass.Null => new(StorageClass.Null, 0, 0, default),
        // Text is also read as raw bytes, because the driver's strings end at a NUL character and replace invalid
        // UTF-8.
        var bytes => new(bytes, 0, 0, SqliteNative.Bytes(_native, column)),
    };

    public void Dispose() => _statement.Dispose();

    private static SqliteException Failure(sqlite3 database) =>
        new(raw.sqlite3_errmsg(database).utf8_to_string(), raw.sqlite3_errcode(database));
}
