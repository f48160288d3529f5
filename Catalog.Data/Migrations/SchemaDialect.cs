using System.Data;
using System.Data.Common;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;

namespace Catalog.Data.Migrations;

/// <summary>The differences between the engines for schema changes.</summary>
public abstract class SchemaDialect
{
    /// <summary>The folder of this engine's scripts below <c>sql/</c>.</summary>
    public abstract string Folder { get; }

    /// <summary>
    /// The statements that create journal and history if they do not exist. The journal has DbUp's name and columns,
    /// and columns of our own. Our columns are nullable, because DbUp does not fill them.
    /// </summary>
    internal abstract string CreateJournalSql { get; }

    /// <summary>The column by which the journal rows are ordered. Its name depends on the engine.</summary>
    internal abstract string JournalOrder { get; }

    /// <summary>A query that returns one row if the journal exists, and otherwise no row.</summary>
    internal abstract string FindJournal { get; }

    /// <summary>A query that returns one row if the history exists, and otherwise no row.</summary>
    internal abstract string FindHistory { get; }

    /// <summary>A query for the names of tables and views, except those of the migrator and of extensions.</summary>
    internal abstract string FindTables { get; }

    /// <summary>
    /// Whether <see cref="Lock"/> excludes other migrators. If false, the transaction of each script excludes them.
    /// </summary>
    internal abstract bool Locks { get; }

    /// <summary>Runs <see cref="CreateJournalSql"/>, and adds our columns to a journal that DbUp created.</summary>
    internal abstract Task CreateJournal(DbConnection connection, CancellationToken ct);

    /// <summary>Rejects a database that must not be migrated, then sets the session's limits.</summary>
    /// <param name="connection">The migrator's connection.</param>
    /// <param name="another">Opens a second connection, to detect a pooler.</param>
    /// <param name="limits">Time limits.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <exception cref="MigrationException">The address leads to a pooler in transaction mode, a read-only server, or a
    /// server that is not supported.</exception>
    internal abstract Task BeginSession(DbConnection connection, Func<CancellationToken, ValueTask<DbConnection>> another,
        MigrationLimits limits, CancellationToken ct);

    /// <summary>Begins a read-only transaction whose search path is the Catalog's schema, whatever the role's setting is.</summary>
    internal abstract Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken ct);

    /// <summary>Takes the migration lock. It is held until the returned object is disposed.</summary>
    /// <param name="connection">The migrator's connection.</param>
    /// <param name="maxWait">The maximum wait.</param>
    /// <param name="waiting">Called once with a description of the lock holder.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The lock; null when another process held it for the whole time.</returns>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting, CancellationToken ct);

    /// <summary>A description of the lock holder; null when the lock is free.</summary>
    internal abstract Task<string?> Holder(DbConnection connection, CancellationToken ct);

    /// <summary>Runs one statement unchanged.</summary>
    /// <returns>The number of changed rows.</returns>
    internal abstract Task<long> Execute(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken ct);

    /// <summary>
    /// Sets the lock time-out; zero means no time-out. A concurrent statement needs no time-out, because it blocks no
    /// other client while it waits.
    /// </summary>
    internal abstract Task SetLockTimeout(DbConnection connection, TimeSpan limit, CancellationToken ct);

    /// <summary>Whether the error is a lock conflict, so that a retry may succeed.</summary>
    internal abstract bool IsLockTimeout(Exception exception);

    /// <summary>Converts a database error; the result contains no values from rows.</summary>
    public abstract StatementError Explain(DbException exception);

    /// <summary>Resets the session for the next script, whatever the last script has set.</summary>
    internal abstract Task ResetSession(DbConnection connection, MigrationLimits limits, CancellationToken ct);

    /// <summary>
    /// Restores the Catalog's search path after a script, and checks constraints that the engine does not enforce by
    /// itself at the commit.
    /// </summary>
    /// <returns>The violation; null when there is none.</returns>
    internal abstract Task<string?> BeforeCommit(DbConnection connection, DbTransaction transaction, CancellationToken ct);

    /// <summary>The DbUp journal for this engine.</summary>
    /// <param name="connections">Returns DbUp's connection manager.</param>
    /// <param name="log">Returns DbUp's log.</param>
    /// <param name="store">Records an executed script; its argument creates commands in DbUp's transaction.</param>
    internal abstract IJournal Journal(Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store);

    /// <summary>DbUp's parser for quoted names on this engine.</summary>
    internal abstract ISqlObjectParser ObjectParser { get; }

    /// <summary>
    /// Whether an interrupted statement without a transaction took effect. Removes what the statement left unfinished.
    /// </summary>
    /// <returns>
    /// True when the statement took effect; false when it must run again; null when this is not known.
    /// </returns>
    internal abstract Task<bool?> TookEffect(DbConnection connection, SqlStatement statement, CancellationToken ct);

    /// <summary>The SQL that grants the needed rights to the service's role, if it exists; null on an engine without roles.</summary>
    internal abstract string? GrantSql(string role, IEnumerable<string> tables);
}
