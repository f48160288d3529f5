using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>
/// A session that opens again after it was closed. A failed statement can end the transaction of a session, so the
/// caller closes the session after a failure.
/// </summary>
/// <param name="connection">The id of the connection.</param>
/// <param name="open">Opens a session.</param>
internal sealed class ReopenedSession(string connection, Func<string, CancellationToken, Task<WarehouseSession>> open) : IAsyncDisposable
{
    private readonly Dictionary<string, HashSet<string>> _columns = new(StringComparer.Ordinal);
    private WarehouseSession? _session;

    /// <summary>Whether the connection was reached at least once.</summary>
    public bool WasOpened { get; private set; }

    /// <summary>The open session, or a new one.</summary>
    /// <exception cref="WarehouseException">The warehouse cannot be reached or refuses the login.</exception>
    public async Task<WarehouseSession> Get(CancellationToken ct)
    {
        _session ??= await open(connection, ct);
        WasOpened = true;
        return _session;
    }

    /// <summary>The names of a table's columns. Upper and lower case are equal. Each table is read once.</summary>
    /// <returns>Null when they cannot be read; empty when there is no such table.</returns>
    public async Task<IReadOnlySet<string>?> Columns(string table, CancellationToken ct)
    {
        if (_columns.TryGetValue(table, out var known))
        {
            return known;
        }

        try
        {
            var session = await Get(ct);
            return _columns[table] = (await session.Query(session.Sql.Columns(table), ct)).Rows.Select(row => $"{row[0]}")
                .ToHashSet(StringComparer.OrdinalIgnoreCase);
        }
        catch (WarehouseException)
        {
            await Close();
            return null;
        }
    }

    /// <summary>Closes the session; the next statement gets a new one.</summary>
    public async Task Close()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await Close();
}
