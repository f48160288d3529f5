using System.Data;
using System.Data.Common;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;

namespace Catalog.Data.Migrations;

/// <summary>What the engines cannot share when the schema is changed.</summary>
public abstract class SchemaDialect
{
    /// <summary>The folder below <c>sql/</c> that holds this engine's scripts.</summary>
    public abstract string Folder { get; }

    /// <summary>The statements that make the journal and its history where they are absent: DbUp's own table and columns, ours beside them, nullable, because DbUp would not fill them.</summary>
    internal abstract string CreateJournal { get; }

    /// <summary>The column that tells in which order the journal was written. DbUp calls its own differently on each engine.</summary>
    internal abstract string JournalOrder { get; }

    /// <summary>One row when the journal exists, otherwise none.</summary>
    internal abstract string FindJournal { get; }

    /// <summary>One row when the history of attempts exists, otherwise none.</summary>
    internal abstract string FindHistory { get; }

    /// <summary>The names of tables and views that are not the migrator's own and belong to no extension.</summary>
    internal abstract string FindTables { get; }

    /// <summary>Whether <see cref="Lock"/> holds off other migrators; where false, each script's transaction does.</summary>
    internal abstract bool Locks { get; }

    /// <summary>Makes <see cref="CreateJournal"/>, and gives a journal that DbUp made our columns.</summary>
    internal abstract Task MakeJournal(DbConnection connection, CancellationToken ct);

    /// <summary>Refuses a database that must not be migrated, then sets the session's limits.</summary>
    /// <param name="connection">The migrator's own.</param>
    /// <param name="another">Opens a second connection, to find out whether a pooler stands between.</param>
    /// <param name="limits">How patient to be.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="MigrationException">A pooler in transaction mode, a standby, a server too old.</exception>
    internal abstract Task Begin(DbConnection connection, Func<CancellationToken, ValueTask<DbConnection>> another, MigrationLimits limits, CancellationToken ct);

    /// <summary>Begins a transaction that the engine itself holds to reading, in which names mean the Catalog's schema whatever the role's search path says.</summary>
    internal abstract Task<DbTransaction> Reading(DbConnection connection, CancellationToken ct);

    /// <summary>Holds off other migrators while the returned lock lives.</summary>
    /// <param name="connection">The migrator's own.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="waiting">Told once who is waited for.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>The lock, or null when another process kept it for the whole time.</returns>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct);

    /// <summary>Who holds the lock, in words; null when nobody does.</summary>
    internal abstract Task<string?> Holder(DbConnection connection, CancellationToken ct);

    /// <summary>Runs one statement as it is written.</summary>
    /// <returns>The rows it changed.</returns>
    internal abstract Task<long> Execute(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken ct);

    /// <summary>Sets whether statements may wait for locks without end: those that run without a transaction hold nobody up while they wait.</summary>
    internal abstract Task WaitForLocks(DbConnection connection, TimeSpan limit, CancellationToken ct);

    /// <summary>Whether it failed because somebody else held a lock, so that another try may do.</summary>
    internal abstract bool IsLockTimeout(Exception exception);

    /// <summary>What the server said, without a value of anybody's row, and what follows from it.</summary>
    public abstract Refusal Explain(DbException exception);

    /// <summary>Sets the session as every script finds it, whatever the one before has set.</summary>
    internal abstract Task Settle(DbConnection connection, MigrationLimits limits, CancellationToken ct);

    /// <summary>
    /// Makes names mean the Catalog's schema again, whatever the script has set, and looks at what the engine does not hold by
    /// itself before a commit.
    /// </summary>
    /// <returns>What is wrong, in words; null when nothing is.</returns>
    internal abstract Task<string?> BeforeCommit(DbConnection connection, DbTransaction transaction, CancellationToken ct);

    /// <summary>DbUp's journal of this engine.</summary>
    /// <param name="connections">DbUp's configuration.</param>
    /// <param name="log">DbUp's configuration.</param>
    /// <param name="store">Writes down an executed script; is given what makes commands in DbUp's transaction.</param>
    internal abstract IJournal Journal(Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store);

    /// <summary>How DbUp quotes names on this engine.</summary>
    internal abstract ISqlObjectParser Quoting { get; }

    /// <summary>Whether an interrupted statement outside a transaction took effect; takes away what it left half done.</summary>
    /// <returns>True: it is done. False: nothing is left of it, run it again. Null: cannot be told.</returns>
    internal abstract Task<bool?> TookEffect(DbConnection connection, SqlStatement statement, CancellationToken ct);

    /// <summary>Gives the role that the service's statements run as what it needs, when the role exists; null where the engine has no roles.</summary>
    internal abstract string? Grant(string role, IEnumerable<string> tables);
}
