using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Warehouses;

/// <summary>
/// A registered warehouse of one organization: its driver, its address and its open connections. Each type of
/// warehouse is one subclass. A session gets a connection of its own, which is closed when the session ends. So no
/// setting, lock or temporary table of a statement reaches another session.
/// </summary>
public abstract class Warehouse : IAsyncDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    // At most 8 sessions are open at a time, to spare the warehouse. Further sessions wait until an open session ends.
    private readonly SemaphoreSlim _open = new(8, 8);

    /// <summary>The type of the connection, such as <c>postgres</c> or <c>duckdb</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The address without secrets, which can be shown to users.</summary>
    public abstract string Display { get; }

    /// <summary>How SQL is written for this type.</summary>
    public abstract WarehouseSql Sql { get; }

    /// <summary>
    /// Tests the connection: connects, logs in and starts a read-only transaction, within 5 seconds. Warns if the user
    /// of the connection is a superuser.
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
    /// <exception cref="WarehouseException">The warehouse cannot be reached or rejects the login.</exception>
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

    /// <summary>
    /// A statement that selects true, or a number above 0, if the user is a superuser; null for types without such a
    /// test.
    /// </summary>
    private protected virtual string? SuperuserSql => null;

    /// <summary>Opens a connection, with the read-only transaction and the limits set.</summary>
    /// <exception cref="WarehouseException">The warehouse cannot be reached or rejects the login.</exception>
    internal abstract Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct);

    /// <summary>Converts an exception that the driver throws while it connects into an exception for users.</summary>
    internal abstract WarehouseException Translate(Exception exception);

    // If this statement fails, the test succeeds without the warning.
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

    // The time-out of a driver applies to each answer, and a server that sends one byte a second never reaches it. So
    // the whole connecting is limited here.
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
