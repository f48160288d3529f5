namespace Catalog.Data.Warehouses;

/// <summary>
/// The configuration of a connection with its secrets. Two equal configurations describe the same warehouse. Never
/// print it.
/// </summary>
public sealed record WarehouseSettings
{
    /// <summary>The type of the connection, such as <c>postgres</c>.</summary>
    public required string Type { get; init; }

    /// <summary>For <c>postgres</c>: an address in one text, instead of the parts below.</summary>
    public string? Dsn { get; init; }

    /// <summary>The host name or IP address of a server.</summary>
    public string? Host { get; init; }

    /// <summary>The port of a server; null means the usual port of the type.</summary>
    public int? Port { get; init; }

    /// <summary>The user of a server.</summary>
    public string? User { get; init; }

    /// <summary>The password of the user.</summary>
    public string? Password { get; init; }

    /// <summary>The database of a server; null means the default of the type.</summary>
    public string? Database { get; init; }

    /// <summary>How the connection to a server is encrypted; null means the default of the type.</summary>
    public string? SslMode { get; init; }

    /// <summary>For <c>sqlite</c> and <c>duckdb</c>: the name of a file below the organization's folder.</summary>
    public string? Path { get; init; }

    /// <inheritdoc />
    public override string ToString() => Type;
}
