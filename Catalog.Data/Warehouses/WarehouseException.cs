namespace Catalog.Data.Warehouses;

/// <summary>Why a warehouse did not answer.</summary>
public enum WarehouseProblem
{
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

    /// <summary>The statement took longer than its time limit.</summary>
    Timeout,

    /// <summary>The result is larger than <see cref="WarehouseLimits"/> allows.</summary>
    TooMuchData,

    /// <summary>The server rejected the statement.</summary>
    Sql,

    /// <summary>A column of the statement does not exist.</summary>
    ColumnMissing,

    /// <summary>A table of the statement does not exist.</summary>
    TableMissing,

    /// <summary>The user may not read what the statement reads.</summary>
    PermissionDenied,
}

/// <summary>A warehouse did not answer.</summary>
/// <param name="problem">The reason.</param>
/// <param name="message">
/// A text for users. It contains no address, no secret and no data of the warehouse.
/// </param>
public sealed class WarehouseException(WarehouseProblem problem, string message) : Exception(message)
{
    /// <summary>The reason.</summary>
    public WarehouseProblem Problem { get; } = problem;
}
