using Catalog.Data.Database;
using Catalog.Data.Migrations.Sqlite;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Migrations.Backup;

/// <summary>Copies, checks and reads SQLite files: databases and their backups.</summary>
public static class SqliteFile
{
    /// <summary>
    /// Copies a database that is in use into a new file with SQLite's online backup. The copy is transactionally
    /// consistent. In WAL mode, the copying does not block writers.
    /// </summary>
    /// <param name="from">The database file.</param>
    /// <param name="to">The new file. It must be missing or empty.</param>
    /// <param name="wait">Maximum wait for a lock on the file.</param>
    public static void Copy(string from, string to, TimeSpan wait)
    {
        using var source = Open(from, SqliteOpenMode.ReadWrite);
        source.Execute($"pragma busy_timeout={(long)wait.TotalMilliseconds}");
        using var target = Open(to, SqliteOpenMode.ReadWriteCreate);
        source.BackupDatabase(target);
        // The copy inherits WAL mode. This turns WAL off, so that the copy stays a single file when it is opened later.
        target.Execute("pragma journal_mode=delete");
    }

    /// <summary>Checks a file's integrity and length.</summary>
    /// <returns>One line per fault; empty for a good file.</returns>
    public static IReadOnlyList<string> FindFaults(string path)
    {
        try
        {
            using var connection = Open(path, SqliteOpenMode.ReadOnly);
            var messages = connection.Query<string>("pragma integrity_check").AsList();
            var expected = connection.ExecuteScalar<long>("select page_count * page_size from pragma_page_count, pragma_page_size");
            return messages is not ["ok"] ? messages
                : expected != new FileInfo(path).Length ? [$"the file has {new FileInfo(path).Length} bytes and should have {expected}"]
                : [];
        }
        catch (SqliteException exception)
        {
            return [exception.Message];
        }
    }

    /// <summary>Reads the contents of a file.</summary>
    public static async Task<DatabaseContents> Contents(string path, CancellationToken ct)
    {
        await using var connection = Open(path, SqliteOpenMode.ReadOnly);
        return await DatabaseContents.Read(connection, null, new SqliteSchemaDialect(), new SqliteSchemaReader(), ct);
    }

    /// <summary>
    /// Returns the names of the tables and views of a file; empty if the file is missing or contains none.
    /// </summary>
    public static IReadOnlyList<string> Tables(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using var connection = Open(path, SqliteOpenMode.ReadWrite);
        return connection.Query<string>("select name from sqlite_master where type in ('table', 'view') order by name").AsList();
    }

    /// <summary>Checkpoints and removes a file's write-ahead log, so that the file can be replaced.</summary>
    /// <returns>False when another process has the file open.</returns>
    public static bool Release(string path)
    {
        using var connection = Open(path, SqliteOpenMode.ReadWrite);
        connection.Execute("pragma busy_timeout=1000");
        try
        {
            // Changing the mode requires exclusive access to the file.
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
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 5 }.ConnectionString);
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
