namespace Catalog.Data.Warehouses;

/// <summary>
/// The warehouses in use: one object for each connection of each organization. Two organizations never share an object,
/// even when their connections are equal. A changed connection gets a new object. Unused objects are removed after a
/// few minutes.
/// </summary>
/// <param name="factory">Creates the warehouses.</param>
/// <param name="time">The clock.</param>
public sealed class WarehousePool(WarehouseFactory factory, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan MaxIdle = TimeSpan.FromMinutes(5);

    private readonly Dictionary<(string Organization, string Connection), Entry> _entries = [];
    private readonly Lock _lock = new();

    /// <summary>The number of warehouses in use.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>The warehouse of a connection. Sessions of an earlier configuration continue until they end.</summary>
    /// <exception cref="WarehouseException">The type has no driver.</exception>
    /// <exception cref="Catalog.Data.Settings.SettingException">The configuration is not valid.</exception>
    public Warehouse Get(string organization, string connection, WarehouseSettings settings)
    {
        lock (_lock)
        {
            RemoveIdle();
            if (!_entries.TryGetValue((organization, connection), out var entry) || entry.Settings != settings)
            {
                entry = new(factory.Create(organization, settings), settings);
                _entries[(organization, connection)] = entry;
            }

            entry.UsedAt = time.GetTimestamp();
            return entry.Warehouse;
        }
    }

    private void RemoveIdle()
    {
        foreach (var (key, entry) in _entries)
        {
            if (time.GetElapsedTime(entry.UsedAt) > MaxIdle)
            {
                _entries.Remove(key);
            }
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var entry in _entries.Values)
        {
            await entry.Warehouse.DisposeAsync();
        }
    }

    private sealed record Entry(Warehouse Warehouse, WarehouseSettings Settings)
    {
        public long UsedAt { get; set; }
    }
}
