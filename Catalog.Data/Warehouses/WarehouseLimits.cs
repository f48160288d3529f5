namespace Catalog.Data.Warehouses;

/// <summary>What one statement on a warehouse may use.</summary>
public sealed record WarehouseLimits
{
    /// <summary>The maximum time of one statement.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The maximum number of rows that are read; further rows are left unread.</summary>
    public int MaxRows { get; init; } = 1000;

    /// <summary>The maximum number of columns of a result; more columns are an error.</summary>
    public int MaxColumns { get; init; } = 200;

    /// <summary>The maximum size of a result in bytes; a larger result is an error.</summary>
    public int MaxBytes { get; init; } = 1024 * 1024;

    /// <summary>The maximum size of one value in bytes; a larger value is an error.</summary>
    public int MaxValueBytes { get; init; } = 64 * 1024;
}
