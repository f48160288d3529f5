using System.Data.Common;

namespace Catalog.Data.Warehouses;

/// <summary>One open connection of a driver. A subclass contains what is different for its driver.</summary>
/// <param name="connection">The open connection.</param>
/// <param name="relay">The relay through which the connection goes; null when it goes through none.</param>
internal abstract class WarehouseConnection(DbConnection connection, LimitedRelay? relay = null) : IAsyncDisposable
{
    /// <summary>The open connection.</summary>
    protected DbConnection Connection { get; } = connection;

    /// <summary>Whether the driver works inside this process and blocks the thread of the caller.</summary>
    public virtual bool IsBlocking => false;

    /// <summary>Whether the connection was ended because the server had sent too much for one statement.</summary>
    public bool IsOverLimit => relay is { IsOverLimit: true };

    /// <summary>Starts to count what the server sends. The session calls this before each statement.</summary>
    public void BeginStatement() => relay?.BeginStatement();

    /// <summary>
    /// Sends one statement. A text with more than one statement fails, and none of its statements runs.
    /// </summary>
    public abstract Task<DbDataReader> Execute(string sql, CancellationToken ct);

    /// <summary>The size in bytes of a value that is not read yet; null when the driver does not know it.</summary>
    public virtual long? SizeOf(DbDataReader reader, int column) => null;

    /// <summary>Reads a value that is not null.</summary>
    public virtual object ReadValue(DbDataReader reader, int column) => reader.GetValue(column);

    /// <summary>
    /// Converts an exception that the driver throws while a statement runs into an exception for users.
    /// </summary>
    public abstract WarehouseException Translate(Exception exception);

    /// <summary>
    /// Prepares the connection for closing. Some drivers read all remaining rows when the reader is closed; for these,
    /// the connection is broken here.
    /// </summary>
    public virtual Task Abort(DbDataReader? reader) => Task.CompletedTask;

    /// <summary>Closes the connection, which rolls back its transaction.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return relay?.Close(Connection) ?? Connection.DisposeAsync();
    }
}
