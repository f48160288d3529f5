namespace Catalog.Data.Warehouses;

/// <summary>The result of a connection test.</summary>
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
