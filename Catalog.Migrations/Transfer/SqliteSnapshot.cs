using System.Data.Common;
using System.Text.RegularExpressions;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Catalog.Migrations.Transfer;

/// <summary>A SQLite file, opened to be read only, as it was at one instant: one transaction, so that a writer beside it changes nothing here.</summary>
internal sealed partial class SqliteSnapshot : IDisposable
{
    private readonly string _path;
    private readonly SqliteConnection _connection;

    private SqliteSnapshot(string path)
    {
        _path = path;
        _connection = Open(path);
    }

    /// <summary>For statements about the schema and the journal.</summary>
    public DbConnection Connection => _connection;

    /// <summary>Begins the transaction.</summary>
    /// <exception cref="DbException">The file cannot be read, or is no database.</exception>
    public static SqliteSnapshot Take(string path)
    {
        var snapshot = new SqliteSnapshot(path);
        try
        {
            // A transaction sees the file as it is at its first read.
            snapshot._connection.Execute("begin; select count(*) from sqlite_master");
            return snapshot;
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    /// <summary>Why the file cannot be read, as a sentence; null when it is not the file that failed.</summary>
    public static string? WhyUnusable(DbException exception) => exception is not SqliteException { SqliteErrorCode: var code } ? null : code switch
    {
        11 or 26 => "the file is no SQLite database, or is damaged. Nothing more was written. Restore a backup, or mend it with `sqlite3 OLD .recover | sqlite3 NEW`.",
        // Who reads a file with a write-ahead log needs the two small files beside it.
        8 or 14 or 3 => "the file cannot be opened: check that this user may read it and may write in its folder.",
        5 or 6 => "others kept the file locked for the whole time.",
        _ => $"it cannot be read (SQLite error {code}).",
    };

    /// <summary>The tables that are not the migrator's own, with their columns as they are declared and their primary keys in order.</summary>
    public async Task<IReadOnlyList<(string Table, IReadOnlyList<string> Columns, IReadOnlyList<string> Key)>> Tables(CancellationToken ct)
    {
        const string Sql = """
            -- SqliteSnapshot.Tables
            select m.name as table_name, x.name as column_name, x.pk as place
            from sqlite_master m, pragma_table_xinfo(m.name) x
            where m.type = 'table' and lower(m.name) not in ('schemaversions', 'schema_history') and m.name not like 'sqlite\_%' escape '\' and x.hidden = 0
            order by m.name, x.cid
            """;

        var columns = await _connection.QueryAsync<(string Table, string Column, long Place)>(new CommandDefinition(Sql, cancellationToken: ct));
        return
        [
            .. columns.GroupBy(column => column.Table, StringComparer.Ordinal).Select(table => (
                table.Key,
                (IReadOnlyList<string>)[.. table.Select(column => column.Column)],
                (IReadOnlyList<string>)[.. table.Where(column => column.Place > 0).OrderBy(column => column.Place).Select(column => column.Column)])),
        ];
    }

    /// <summary>How texts are kept: <c>UTF-8</c>, or a form of UTF-16.</summary>
    public Task<string?> Encoding(CancellationToken ct) => _connection.ExecuteScalarAsync<string>(new CommandDefinition("pragma encoding", cancellationToken: ct));

    /// <summary>The rows of a table, counted without an index: one that lost rows must not hide them.</summary>
    public Task<long> Count(string table, CancellationToken ct) =>
        _connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from {TransferTable.Quote(table)} not indexed", cancellationToken: ct));

    /// <summary>What is damaged in the file, in SQLite's words; empty when it is sound. On a connection of its own, so that it can go on beside the reading.</summary>
    public async Task<IReadOnlyList<string>> Damage(CancellationToken ct)
    {
        using var connection = Open(_path);
        await using var stop = ct.Register(() => raw.sqlite3_interrupt(connection.Handle!));
        var found = await connection.QueryAsync<string>(new CommandDefinition("pragma quick_check", cancellationToken: ct));
        // Rows that break a rule are listed one by one elsewhere. Of indexes only the key's is used, and its rows are counted and their
        // order is watched as they are read, so that the full check, ten times as long, would find nothing more that matters here.
        return [.. found.Where(line => line != "ok" && !RowBreaksRule().IsMatch(line))];
    }

    /// <summary>The rows whose declared foreign keys name nothing.</summary>
    public async Task<IReadOnlyList<(string Table, long? RowId, string Parent)>> Dangling(CancellationToken ct) =>
        (await _connection.QueryAsync<(string, long?, string)>(new CommandDefinition("pragma foreign_key_check", cancellationToken: ct))).AsList();

    /// <summary>The rows of a table in the order of its key, to be read once.</summary>
    public SqliteRows Rows(TransferTable table)
    {
        var columns = string.Join(", ", table.Columns.Select(column => TransferTable.Quote(column.Name)));
        // BINARY whatever the column declares: the order of bytes is the one that both engines have.
        var order = string.Join(", ", table.Key.Select(place => $"{TransferTable.Quote(table.Columns[place].Name)} collate binary"));
        string Sql(string rowId) => $"select {columns}, {rowId} from {TransferTable.Quote(table.Name)} order by {order}";
        // A table declared without rowid has none.
        return SqliteRows.TryPrepare(_connection, Sql("rowid"), table.Columns.Count) ?? SqliteRows.Prepare(_connection, Sql("null"), table.Columns.Count);
    }

    public void Dispose() => _connection.Dispose();

    private static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = 30 }.ConnectionString);
        try
        {
            connection.Open();
            // The views and expressions of a file from elsewhere run no functions of ours; a larger cache, because keys lie in another order than rows.
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

/// <summary>A statement's rows, one after another, each value as it is stored and without a copy.</summary>
internal sealed class SqliteRows : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly nint _native;
    private readonly int _columns;

    private SqliteRows(sqlite3 database, sqlite3_stmt statement, int columns) =>
        (_database, _statement, _native, _columns) = (database, statement, statement.DangerousGetHandle(), columns);

    /// <summary>Of the current row; null where the table has none.</summary>
    public long? RowId => raw.sqlite3_column_type(_statement, _columns) == raw.SQLITE_NULL ? null : raw.sqlite3_column_int64(_statement, _columns);

    public static SqliteRows? TryPrepare(SqliteConnection connection, string sql, int columns) =>
        raw.sqlite3_prepare_v2(connection.Handle!, sql, out var statement) == raw.SQLITE_OK ? new(connection.Handle!, statement, columns) : null;

    public static SqliteRows Prepare(SqliteConnection connection, string sql, int columns) =>
        TryPrepare(connection, sql, columns) ?? throw Failure(connection.Handle!);

    /// <returns>False after the last row.</returns>
    public bool Read() => raw.sqlite3_step(_statement) switch
    {
        raw.SQLITE_ROW => true,
        raw.SQLITE_DONE => false,
        _ => throw Failure(_database),
    };

    /// <summary>A value of the current row, valid until the next is read.</summary>
    public StoredValue Value(int column) => (StorageClass)SqliteNative.Type(_native, column) switch
    {
        StorageClass.Integer => new(StorageClass.Integer, SqliteNative.Integer(_native, column), 0, default),
        StorageClass.Real => new(StorageClass.Real, 0, SqliteNative.Real(_native, column), default),
        StorageClass.Null => new(StorageClass.Null, 0, 0, default),
        // Of a text too these are the bytes as they lie there: the driver's own strings would end at a NUL and mend what is no UTF-8.
        var bytes => new(bytes, 0, 0, SqliteNative.Bytes(_native, column)),
    };

    public void Dispose() => _statement.Dispose();

    private static SqliteException Failure(sqlite3 database) => new(raw.sqlite3_errmsg(database).utf8_to_string(), raw.sqlite3_errcode(database));
}
