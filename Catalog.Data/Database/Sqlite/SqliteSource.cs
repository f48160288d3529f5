using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

/// <summary>
/// Connections to one SQLite file with the pragmas that the framework's own wrapper has no hook for. One writer at a time and
/// any number of readers beside it (write-ahead log), so that nobody ever sees "database is locked".
/// </summary>
internal sealed class SqliteSource : DbDataSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim? _writer;
    private readonly string _pragmas;

    private readonly string? _onlyIfThere;

    private SqliteSource(string connectionString, SemaphoreSlim? writer, string? onlyIfThere = null)
    {
        ConnectionString = connectionString;
        _onlyIfThere = onlyIfThere;
        _writer = writer;
        // synchronous=full: what was acknowledged survives a power cut, not only a killed process.
        _pragmas = $"pragma busy_timeout={Patience.TotalMilliseconds}; pragma foreign_keys=on; pragma synchronous=full; pragma trusted_schema=off; "
            // The writer appends to as many places of the indexes as there are checks, runs and datasets at work: they stay in memory (64 MiB at most),
            // and a page that many commits changed goes from the log to the file once (every 16 MiB).
            + (writer is null ? "pragma query_only=on" : "pragma query_only=off; pragma cache_size=-65536; pragma wal_autocheckpoint=4096");
    }

    /// <inheritdoc />
    public override string ConnectionString { get; }

    /// <summary>The two sources of one file, which is made when it does not exist.</summary>
    public static (DbDataSource Reads, DbDataSource Writes) Open(string path)
    {
        string ConnectionString(string mode) => new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Cache = SqliteCacheMode.Private,
            DefaultTimeout = (int)Patience.TotalSeconds,
            Pooling = true,
        }.ConnectionString + mode;

        // The two strings differ, so that the driver's pools do: a reader's pragma must never reach the writer.
        return (new SqliteSource(ConnectionString(""), null), new SqliteSource(ConnectionString(";Recursive Triggers=False"), new SemaphoreSlim(1, 1)));
    }

    /// <summary>For somebody who only looks: a file that does not exist is an empty database, and stays absent.</summary>
    public static DbDataSource Look(string path)
    {
        return new SqliteSource(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = (int)Patience.TotalSeconds }.ConnectionString, null, path);
    }

    protected override DbConnection CreateDbConnection() =>
        throw new NotSupportedException("Open the connection through the source, which sets its pragmas.");

    protected override DbConnection OpenDbConnection()
    {
        if (_writer?.Wait(Patience) is false)
        {
            throw new TimeoutException("Other writers kept the SQLite file for the whole time.");
        }

        return Opened();
    }

    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default)
    {
        if (_writer is not null && !await _writer.WaitAsync(Patience, cancellationToken))
        {
            throw new TimeoutException("Other writers kept the SQLite file for the whole time.");
        }

        return Opened();
    }

    private Connection Opened()
    {
        var connection = new Connection(_onlyIfThere is null || File.Exists(_onlyIfThere) ? ConnectionString : "Data Source=:memory:", _writer);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            // The journal mode is the file's own and stays; asking again costs nothing and makes a new file right.
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

    private void ClosePooled()
    {
        using var connection = new SqliteConnection(ConnectionString);
        SqliteConnection.ClearPool(connection);
    }

    /// <summary>Gives the writer's turn back when it is disposed.</summary>
    private sealed class Connection(string connectionString, SemaphoreSlim? turn) : SqliteConnection(connectionString)
    {
        private SemaphoreSlim? _turn = turn;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            Interlocked.Exchange(ref _turn, null)?.Release();
        }
    }
}
