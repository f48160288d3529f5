using Catalog.Data.Database;
using Catalog.Data.Migrations.Sqlite;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Migrations.Backup;

/// <summary>Copies, checks and reads SQLite files that are no Catalog at work: backups, and what is about to become one.</summary>
public static class SqliteBackup
{
    /// <summary>Copies a database at work into one new file by the online backup, which neither sees half a transaction nor holds up writers in write-ahead mode.</summary>
    /// <param name="from">The database file.</param>
    /// <param name="to">A file that does not exist, or is empty.</param>
    /// <param name="patience">How long to wait for somebody who keeps the whole file.</param>
    public static void Copy(string from, string to, TimeSpan patience)
    {
        using var source = Open(from, SqliteOpenMode.ReadWrite);
        source.Execute($"pragma busy_timeout={(long)patience.TotalMilliseconds}");
        using var target = Open(to, SqliteOpenMode.ReadWriteCreate);
        source.BackupDatabase(target);
        // The copy says of itself that it has a write-ahead log; without one it is a single file also for who opens it later.
        target.Execute("pragma journal_mode=delete");
    }

    /// <summary>Reads a file to its end.</summary>
    /// <returns>What is wrong with it, a line each; empty when nothing is.</returns>
    public static IReadOnlyList<string> Faults(string path)
    {
        try
        {
            using var connection = Open(path, SqliteOpenMode.ReadOnly);
            var said = connection.Query<string>("pragma integrity_check").AsList();
            var pages = connection.ExecuteScalar<long>("select page_count * page_size from pragma_page_count, pragma_page_size");
            return said is not ["ok"] ? said
                : pages != new FileInfo(path).Length ? [$"the file has {new FileInfo(path).Length} bytes and should have {pages}"]
                : [];
        }
        catch (SqliteException exception)
        {
            return [exception.Message];
        }
    }

    /// <summary>What a file holds.</summary>
    public static async Task<DatabaseContents> Contents(string path, CancellationToken ct)
    {
        await using var connection = Open(path, SqliteOpenMode.ReadOnly);
        return await DatabaseContents.Read(connection, null, new SqliteSchemaDialect(), new SqliteSchemaReader(), ct);
    }

    /// <summary>The tables and views of a file; empty when it does not exist or holds none.</summary>
    public static IReadOnlyList<string> Occupants(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using var connection = Open(path, SqliteOpenMode.ReadWrite);
        return connection.Query<string>("select name from sqlite_master where type in ('table', 'view') order by name").AsList();
    }

    /// <summary>Empties a file's write-ahead log into it and removes the log, so that the file can be replaced.</summary>
    /// <returns>False when another process has the file open.</returns>
    public static bool Release(string path)
    {
        using var connection = Open(path, SqliteOpenMode.ReadWrite);
        connection.Execute("pragma busy_timeout=1000");
        try
        {
            // The change of mode needs the file alone.
            return connection.ExecuteScalar<string>("pragma journal_mode=delete") == "delete";
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode is 5 or 6)
        {
            return false;
        }
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        DapperTypes.Register();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 5 }.ConnectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
