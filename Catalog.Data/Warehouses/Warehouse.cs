using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Warehouses;

/// <summary>
/// A registered warehouse of one organization: its driver, its address and its open connections. Each type of
/// warehouse is one subclass. A session gets a connection of its own, which is closed at its end: no setting, lock or
/// temporary table of a statement reaches another session.
/// </summary>
public abstract class Warehouse : IAsyncDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    // A warehouse belongs to others. Further sessions wait until one of these ends.
    private readonly SemaphoreSlim _open = new(8, 8);

    /// <summary>The type of the connection, such as <c>postgres</c> or <c>duckdb</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The address without secrets, to be shown.</summary>
    public abstract string Display { get; }

    /// <summary>How SQL is written for this type.</summary>
    public abstract WarehouseSql Sql { get; }

    /// <summary>
    /// Tests the connection: connects, logs in and starts a read-only transaction, within 5 seconds. Warns about a user
    /// who may do everything.
    /// </summary>
    public async Task<WarehouseTest> Test(CancellationToken ct)
    {
        try
        {
            var limits = new WarehouseLimits { Timeout = MaxWait };
            await using var session = new WarehouseSession(token => ConnectInTime(limits, token), Sql, limits, () => { });
            await session.Connect(ct);
            return new(WarehouseState.Ok, await IsSuperuser(session, ct)
                ? "The user of the connection is a superuser. Use a role that may only read." : null);
        }
        catch (WarehouseException exception)
        {
            return new(Enum.TryParse<WarehouseState>(exception.Problem.ToString(), out var state) ? state : WarehouseState.Unreachable,
                exception.Message);
        }
    }

    /// <summary>
    /// Opens a session that can only read. Each new connection goes to an address that was checked immediately before.
    /// Waits while 8 sessions are open.
    /// </summary>
    /// <exception cref="WarehouseException">The warehouse cannot be reached or refuses the login.</exception>
    public async Task<WarehouseSession> Open(WarehouseLimits limits, CancellationToken ct)
    {
        await _open.WaitAsync(ct);
        var session = new WarehouseSession(token => ConnectInTime(limits, token), Sql, limits, () => _open.Release());
        try
        {
            await session.Connect(ct);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>A statement that selects whether the user may do everything; null for types without users.</summary>
    private protected virtual string? SuperuserSql => null;

    /// <summary>Opens a connection, with the read-only transaction and the limits set.</summary>
    /// <exception cref="WarehouseException">The warehouse cannot be reached or refuses the login.</exception>
    internal abstract Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct);

    /// <summary>Turns any exception of the driver while it connects into one for users.</summary>
    internal abstract WarehouseException Translate(Exception exception);

    // A server that does not answer this leaves the test as it is.
    private async Task<bool> IsSuperuser(WarehouseSession session, CancellationToken ct)
    {
        try
        {
            return SuperuserSql is { } sql && (await session.Query(sql, ct)).Rows is [[true or > 0L]];
        }
        catch (WarehouseException)
        {
            return false;
        }
    }

    // The driver's own limit is per answer: a server that sends one byte a second never reaches it.
    private async Task<WarehouseConnection> ConnectInTime(WarehouseLimits limits, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(MaxWait);
        var connecting = Task.Run(() => Connect(limits, limit.Token), CancellationToken.None);
        try
        {
            // Some drivers and resolvers notice the cancellation late or never.
            return await connecting.WaitAsync(MaxWait + TimeSpan.FromSeconds(1), ct);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            CloseWhenDone(connecting);
            throw exception as WarehouseException ?? (exception is OperationCanceledException or TimeoutException
                ? WarehouseMessages.Unreachable() : Translate(exception));
        }
        catch
        {
            CloseWhenDone(connecting);
            throw;
        }
    }

    private static void CloseWhenDone(Task<WarehouseConnection> connecting) => _ = connecting.ContinueWith(
        async done =>
        {
            if (done.IsCompletedSuccessfully)
            {
                await (await done).DisposeAsync();
            }
            else
            {
                _ = done.Exception;
            }
        }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <inheritdoc />
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
