namespace Catalog.Data.Database;

/// <summary>Why a database cannot serve a request now.</summary>
public enum Unavailability
{
    /// <summary>The connection failed or was lost, for example because the server is down or restarting.</summary>
    Unreachable,

    /// <summary>The server rejected the user or the password.</summary>
    AuthenticationFailed,

    /// <summary>The server has no database with this name.</summary>
    DatabaseMissing,

    /// <summary>A statement or the wait for a connection exceeded its time limit.</summary>
    TimedOut,

    /// <summary>A conflict with another transaction (serialization failure or deadlock); nothing was stored.</summary>
    Contended,

    /// <summary>The disk is full, or the server has no memory or no connection slot left.</summary>
    OutOfResources,

    /// <summary>The database is read-only: a standby server, or a file without write permission.</summary>
    ReadOnly,

    /// <summary>The TLS connection failed: the server does not support TLS, or its certificate was rejected.</summary>
    TlsFailed,

    /// <summary>The role has no rights on the tables, or the login can no longer assume the role.</summary>
    NotPermitted,

    /// <summary>Row-level security is required but not in effect.</summary>
    NotIsolated,

    /// <summary>The SQLite file cannot be opened.</summary>
    FileUnusable,

    /// <summary>The file is not a SQLite database, or it is damaged.</summary>
    NotADatabase,

    /// <summary>A table or column is missing: the migrations have not been applied.</summary>
    SchemaBehind,

    /// <summary>The server rejects the session, for example because of an unknown option in the address.</summary>
    SessionRefused,

    /// <summary>A prepared statement is missing on the server: a pooler in transaction mode is in use.</summary>
    PoolerInBetween,
}

/// <summary>
/// The database cannot serve a request now. It is unknown whether a write took effect. The client can send the same
/// request again.
/// </summary>
public sealed class DatabaseUnavailableException(Unavailability reason, Exception cause)
    : Exception($"The database cannot serve now: {reason}.", cause)
{
    /// <summary>The reason.</summary>
    public Unavailability Reason { get; } = reason;
}
