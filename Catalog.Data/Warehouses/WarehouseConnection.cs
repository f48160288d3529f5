using System.Data.Common;

namespace Catalog.Data.Warehouses;

/// <summary>One open connection of a driver, and where drivers differ.</summary>
/// <param name="connection">The open connection.</param>
/// <param name="relay">What the connection goes through; null for drivers that read no stream of a server.</param>
internal abstract class WarehouseConnection(DbConnection connection, LimitedRelay? relay = null) : IAsyncDisposable
{
    /// <summary>The open connection.</summary>
    protected DbConnection Connection { get; } = connection;

    /// <summary>Whether the driver works inside this process and blocks the thread of the caller.</summary>
    public virtual bool IsBlocking => false;

    /// <summary>Whether the server has sent more than a statement may, and the connection was ended for that.</summary>
    public bool IsOverLimit => relay is { IsOverLimit: true };

    /// <summary>Starts to count what the server sends. Called before each statement.</summary>
    public void BeginStatement() => relay?.BeginStatement();

    /// <summary>Sends one statement. A text with more statements fails, and none of them runs.</summary>
    public abstract Task<DbDataReader> Execute(string sql, CancellationToken ct);

    /// <summary>The size of a value that is not read yet; null when the driver cannot tell.</summary>
    public virtual long? SizeOf(DbDataReader reader, int column) => null;

    /// <summary>Reads a value that is not null.</summary>
    public virtual object ReadValue(DbDataReader reader, int column) => reader.GetValue(column);

    /// <summary>Turns an exception of the driver while a statement runs into one for users.</summary>
    public abstract WarehouseException Translate(Exception exception);

    /// <summary>
    /// Ends the connection without reading what the server still sends: a driver would otherwise read all of it when the
    /// reader is closed.
    /// </summary>
    public virtual Task Abort(DbDataReader? reader) => Task.CompletedTask;

    /// <summary>Closes the connection, which rolls back its transaction.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return relay?.Close(Connection) ?? Connection.DisposeAsync();
    }
}
