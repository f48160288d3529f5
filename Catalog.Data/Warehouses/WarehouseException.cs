namespace Catalog.Data.Warehouses;

/// <summary>Why a connection to a warehouse, or a statement on it, failed.</summary>
public enum WarehouseProblem
{
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

    /// <summary>
    /// The service does not use this address, file or type of warehouse, or does not run this statement.
    /// </summary>
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

    /// <summary>The user is not allowed to read what the statement reads.</summary>
    PermissionDenied,
}

/// <summary>A connection to a warehouse, or a statement on it, failed.</summary>
/// <param name="problem">The reason.</param>
/// <param name="message">
/// A text for users. It contains no address, no secret and no data of the warehouse.
/// </param>
public sealed class WarehouseException(WarehouseProblem problem, string message) : Exception(message)
{
    /// <summary>The reason.</summary>
    public WarehouseProblem Problem { get; } = problem;
}
