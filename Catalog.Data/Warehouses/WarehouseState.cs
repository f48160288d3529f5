namespace Catalog.Data.Warehouses;

/// <summary>The result of a connection test.</summary>
/// <param name="State">Whether the connection and the login succeeded.</param>
/// <param name="Detail">What to do about it, or a warning; null when all is well. Contains no address and no secret.</param>
public sealed record WarehouseTest(WarehouseState State, string? Detail);

/// <summary>Whether a connection and its login succeeded.</summary>
public enum WarehouseState
{
    /// <summary>The connection and the login succeeded.</summary>
    Ok,

    /// <summary>The server did not answer in time, or its host name cannot be resolved.</summary>
    Unreachable,

    /// <summary>The server rejected the user or the password.</summary>
    AuthenticationFailed,

    /// <summary>The server has no database of that name.</summary>
    DatabaseMissing,

    /// <summary>The TLS handshake failed.</summary>
    TlsFailed,

    /// <summary>A secret of the connection could not be read.</summary>
    SecretUnavailable,

    /// <summary>This installation does not connect to the address, or to this type of warehouse.</summary>
    Refused,
}
