using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>The few things that Postgres and SQLite cannot share. Anything else belongs in a repository.</summary>
public abstract class Dialect
{
    /// <summary>A condition: <paramref name="column"/> equals one of the values of a list parameter.</summary>
    public abstract string IsAnyOf(string column, string parameter);

    /// <summary>
    /// The rows of a table whose <paramref name="key"/> equals one of the values of a list parameter, under the table's name, looked up one
    /// value after another. For long lists: a planner may take <see cref="IsAnyOf"/> of some hundred values for a reason to read the whole table.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="where">What else its rows must meet, columns without a table's name.</param>
    /// <param name="key">A column that an index leads to.</param>
    /// <param name="parameter">The list.</param>
    public abstract string ByIndex(string table, string where, string key, string parameter);

    /// <summary>A join with the rows of a table whose <paramref name="key"/> equals <paramref name="value"/>, likewise looked up one after another.</summary>
    /// <param name="table">The table.</param>
    /// <param name="where">What else its rows must meet, columns without a table's name.</param>
    /// <param name="key">A column that an index leads to.</param>
    /// <param name="value">A column of what stands before the join, by its full name.</param>
    public abstract string JoinByIndex(string table, string where, string key, string value);

    /// <summary>How many values a list parameter may hold.</summary>
    public abstract int ListLimit { get; }

    /// <summary>What ends a query that locks the rows it reads until its transaction ends, in the order in which it reads them.</summary>
    public abstract string ForUpdate { get; }

    /// <summary>Runs statements in their order, in one round trip where there are trips, each after what sets its context.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="transaction">Its transaction; null: the statements become one of their own, which is committed when this returns.</param>
    /// <param name="statements">At least one, none without rows.</param>
    /// <param name="ct">Cancels.</param>
    internal abstract Task Send(DbConnection connection, DbTransaction? transaction, IReadOnlyList<Statement> statements, CancellationToken ct);

    /// <summary>A statement's text with <c>rows</c>, the table that it reads, before it.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="select">What gives the rows.</param>
    private protected static string WithRows(Statement statement, string select)
    {
        // Its name stays first, where the server's own views and logs show it.
        var (name, sql) = statement.Sql.StartsWith("--", StringComparison.Ordinal) && statement.Sql.IndexOf('\n', StringComparison.Ordinal) + 1 is > 0 and var end
            ? (statement.Sql[..end], statement.Sql[end..])
            : ("", statement.Sql);
        return $"{name}with rows ({string.Join(", ", statement.Names)}) as (select {select})\n{sql}";
    }

    /// <summary>What goes before statements in an organization's context; null: nothing.</summary>
    internal virtual ValueTask<string?> Before(CancellationToken ct) => default;

    /// <summary>What goes before a look-up; null: nothing.</summary>
    internal virtual ValueTask<string?> Before(LookUp by, CancellationToken ct) => default;

    /// <summary>Whether the database itself keeps organizations apart; null on an engine that never does.</summary>
    internal virtual Task<Isolation?> Isolation(CancellationToken ct) => Task.FromResult<Isolation?>(null);

    /// <summary>Makes a connection fit for its next user after a failure on it, or has it replaced.</summary>
    internal virtual void Mend(DbConnection connection, Exception failure)
    {
    }

    /// <summary>
    /// Whether a work that failed so, and of which nothing was stored, may succeed on another connection: the connection was lost
    /// while it lay in the pool, or its session was not as it must be.
    /// </summary>
    internal virtual bool Recovers(Exception failure) => false;

    /// <summary>Why the database cannot serve now, or null when the exception says something else.</summary>
    public abstract Unavailability? WhyUnavailable(Exception exception);
}

/// <summary>Why a database cannot serve a request now.</summary>
public enum Unavailability
{
    /// <summary>No connection, or it broke: the server is down, restarting, or out of connections.</summary>
    Unreachable,

    /// <summary>The server refused the user or the password.</summary>
    AuthenticationFailed,

    /// <summary>The server has no database of that name.</summary>
    DatabaseMissing,

    /// <summary>A statement or a wait for a connection took longer than its limit.</summary>
    TimedOut,

    /// <summary>Another transaction was in the way and went first; nothing was stored.</summary>
    Contended,

    /// <summary>The disk is full, or the server has no memory or no connection slot left.</summary>
    OutOfResources,

    /// <summary>The server takes no writes: a standby, or a file that may not be written.</summary>
    ReadOnly,

    /// <summary>No secure connection came about: the server takes none, or its certificate was not accepted.</summary>
    TlsFailed,

    /// <summary>The role may not use the tables, or may not be assumed any more.</summary>
    NotPermitted,

    /// <summary>Row-level security is required and does not hold.</summary>
    NotIsolated,

    /// <summary>The SQLite file cannot be opened.</summary>
    FileUnusable,

    /// <summary>The file is no SQLite database, or is damaged.</summary>
    NotADatabase,

    /// <summary>A table or column is missing: the migrations have not been applied.</summary>
    SchemaBehind,

    /// <summary>The server refuses the session, such as an option in the address that it does not know.</summary>
    SessionRefused,

    /// <summary>A prepared statement is missing: a pooler in transaction mode stands between.</summary>
    PoolerInBetween,
}

/// <summary>The database cannot serve now. Whether a write had its effect is unknown; the same request may be sent again.</summary>
public sealed class DatabaseUnavailableException(Unavailability reason, Exception cause)
    : Exception($"The database cannot serve now: {reason}.", cause)
{
    /// <summary>Why, in one word.</summary>
    public Unavailability Reason { get; } = reason;
}
