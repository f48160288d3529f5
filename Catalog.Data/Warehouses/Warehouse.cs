using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Warehouses;

/// <summary>
/// A registered warehouse of one organization: its driver, its address and its pool of connections. Each type of
/// warehouse is one subclass.
/// </summary>
public abstract class Warehouse : IAsyncDisposable
{
    /// <summary>The type of the connection, such as <c>postgres</c> or <c>duckdb</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The address without secrets, to be shown.</summary>
    public abstract string Display { get; }

    /// <summary>How SQL is written for this type.</summary>
    public abstract WarehouseSql Sql { get; }

    /// <summary>Tests the connection: connects and logs in, within 5 seconds.</summary>
    public abstract Task<WarehouseState> Test(CancellationToken ct);

    /// <summary>
    /// Opens a session that can only read. Each new connection goes to an address that was checked immediately before.
    /// </summary>
    /// <exception cref="WarehouseException">The warehouse cannot be reached or refuses the login.</exception>
    public abstract Task<WarehouseSession> Open(WarehouseLimits limits, CancellationToken ct);

    /// <inheritdoc />
    public abstract ValueTask DisposeAsync();
}
