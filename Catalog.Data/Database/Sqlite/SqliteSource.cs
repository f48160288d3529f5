using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

/// <summary>
/// Opens connections to one SQLite file and sets their pragmas, for which the built-in data source has no hook. With
/// the write-ahead log, one writer and any number of readers can work at the same time. Writers wait in a queue, so no
/// request fails with "database is locked".
/// </summary>
internal sealed class SqliteSource : DbDataSource
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim? _writer;
    private readonly string _pragmas;

    private readonly string? _existingFile;
    private readonly bool _keepsWriter;
    private SqliteSourceConnection? _kept;
    private volatile bool _disposed;

    private SqliteSource(string connectionString, SemaphoreSlim? writer, string? existingFile = null, bool keepsWriter = false)
    {
        ConnectionString = connectionString;
        _keepsWriter = keepsWriter;
        _existingFile = existingFile;
        _writer = writer;
        // With synchronous=full, acknowledged writes survive a power failure, not only a killed process.
        _pragmas = $"pragma busy_timeout={LockTimeout.TotalMilliseconds}; pragma foreign_keys=on; pragma synchronous=full; pragma "
            + "trusted_schema=off; "
            // Writes touch many places of the indexes (one per active check, run and dataset): a cache of up to 64 MiB
            // keeps these pages in memory, and a checkpoint every 16 MiB copies a page with many changes only once.
            + (writer is null ? "pragma query_only=on" : "pragma query_only=off; pragma cache_size=-65536; pragma wal_autocheckpoint=4096");
    }

    /// <inheritdoc />
    public override string ConnectionString { get; }

    /// <summary>The sources for reads and writes of one file. The file is created if it does not exist.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keepsWriter">
    /// Whether the writing connection stays open with its prepared statements. Its users must not change pragmas: they
    /// are set only once.
    /// </param>
    public static (DbDataSource Reads, DbDataSource Writes) Open(string path, bool keepsWriter = false)
    {
        string ConnectionString(string mode) => new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Cache = SqliteCacheMode.Private,
            DefaultTimeout = (int)LockTimeout.TotalSeconds,
            Pooling = true,
        }.ConnectionString + mode;

        // Different connection strings give separate driver pools: a reader's pragmas must never reach the writer.
        return (new SqliteSource(ConnectionString(""), null),
            new SqliteSource(ConnectionString(";Recursive Triggers=False"), new SemaphoreSlim(1, 1), null, keepsWriter));
    }

    /// <summary>
    /// A read-only source. A file that does not exist is read as an empty database and is not created.
    /// </summary>
    public static DbDataSource OpenReadOnly(string path)
    {
        return new SqliteSource(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWrite,
                DefaultTimeout = (int)LockTimeout.TotalSeconds
            }.ConnectionString, null, path);
    }

    protected override DbConnection CreateDbConnection() =>
        throw new NotSupportedException("Open the connection through the source, which sets its pragmas.");

    protected override DbConnection OpenDbConnection()
    {
        if (_writer?.Wait(LockTimeout) is false)
        {
            throw new TimeoutException("Other writers kept the SQLite file locked until the time limit.");
        }

        return OpenWithPragmas();
    }

    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default)
    {
        if (_writer is not null && !await _writer.WaitAsync(LockTimeout, cancellationToken))
        {
            throw new TimeoutException("Other writers kept the SQLite file locked until the time limit.");
        }

        return OpenWithPragmas();
    }

    private SqliteSourceConnection OpenWithPragmas()
    {
        if (Interlocked.Exchange(ref _kept, null) is { } kept)
        {
            kept.Reuse();
            return kept;
        }

        var connection = new SqliteSourceConnection(
            _existingFile is null || File.Exists(_existingFile) ? ConnectionString : "Data Source=:memory:", this, _writer);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            // The journal mode is stored in the file. Setting it again is cheap, and a new file needs it.
            command.CommandText = _writer is null ? _pragmas : "pragma journal_mode=wal; " + _pragmas;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        ClosePooled();
        base.Dispose(disposing);
    }

    protected override ValueTask DisposeAsyncCore()
    {
        ClosePooled();
        return base.DisposeAsyncCore();
    }

    /// <summary>Keeps a connection open for the next writer.</summary>
    /// <returns>False when this source does not keep connections.</returns>
    internal bool Keep(SqliteSourceConnection connection)
    {
        if (!_keepsWriter || _disposed)
        {
            return false;
        }

        _kept = connection;
        return true;
    }

    private void ClosePooled()
    {
        _disposed = true;
        Interlocked.Exchange(ref _kept, null)?.Dispose();
        using var connection = new SqliteConnection(ConnectionString);
        SqliteConnection.ClearPool(connection);
    }
}
