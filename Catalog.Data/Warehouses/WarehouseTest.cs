namespace Catalog.Data.Warehouses;

/// <summary>The result of a connection test.</summary>
/// <param name="State">Whether the connection and the login succeeded.</param>
/// <param name="Detail">
/// What to do about a failure, or a warning; null when there is neither. It contains no address and no secret.
/// </param>
public sealed record WarehouseTest(WarehouseState State, string? Detail);

/// <summary>Whether a connection and its login succeeded.</summary>
public enum WarehouseState
{
    /// <summary>The connection and the login succeeded.</summary>
    Ok,

    /// <summary>
    /// The server cannot be reached or did not answer in time, or another program has locked the file.
    /// </summary>
    Unreachable,

    /// <summary>The server rejected the user or the password.</summary>
    AuthenticationFailed,

    /// <summary>The server has no database of that name, or the file is missing or not a database.</summary>
    DatabaseMissing,

    /// <summary>The TLS handshake failed.</summary>
    TlsFailed,

    /// <summary>A secret of the connection could not be read.</summary>
    SecretUnavailable,

    /// <summary>The service does not use this address, file or type of warehouse.</summary>
    Refused,
}
