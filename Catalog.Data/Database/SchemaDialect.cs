using System.Data;
using System.Data.Common;
using Catalog.Data.Migrations;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;

namespace Catalog.Data.Database;

/// <summary>How patient a migration is. It is held up by others' locks, and holds others up while it waits for one.</summary>
public sealed record MigrationLimits
{
    /// <summary>How long a statement waits for a lock on a table, and so how long traffic behind it can stall.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a script is tried that waited in vain.</summary>
    public int Attempts { get; init; } = 10;

    /// <summary>How long one statement may run.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long to wait for another migrator to finish.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What a server said against a statement.</summary>
/// <param name="Message">In its own words, without a value of anybody's row.</param>
/// <param name="Position">The character of the statement it means, from 1; null when it names none.</param>
/// <param name="AlreadyExists">Whether what the statement makes is there already.</param>
/// <param name="Missing">Whether a table, column or schema is not there.</param>
/// <param name="NotPermitted">Whether the role may not.</param>
/// <param name="Final">Whether the statement was refused before it did anything, so that nothing of it can be left.</param>
public sealed record Refusal(string Message, int? Position, bool AlreadyExists, bool Missing, bool NotPermitted, bool Final);

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

    /// <summary>Tries what requests need, and changes nothing: their role and context, the rights on each table, and a write.</summary>
    /// <param name="connection">One that no request uses.</param>
    /// <param name="before">What goes before the statements of requests; null: nothing.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="DbException">What a request would meet.</exception>
    internal abstract Task TryOut(DbConnection connection, string? before, CancellationToken ct);

    /// <summary>Holds off other migrators while the returned lock lives.</summary>
    /// <param name="connection">The migrator's own.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="waiting">Told once who is waited for.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>The lock, or null when another process kept it for the whole time.</returns>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct);

    /// <summary>Holds off others that remove old rows while the returned lock lives; migrators are not held off.</summary>
    /// <inheritdoc cref="Lock"/>
    internal abstract Task<IAsyncDisposable?> LockRetention(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct);

    /// <summary>Has the rest of a transaction look rows up by index, whatever the statistics say, which a large removal makes wrong.</summary>
    internal abstract Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct);

    /// <summary>After a query: locks the rows it finds and leaves out those that somebody else has locked; empty where a writer is alone anyway.</summary>
    internal abstract string SkipLocked { get; }

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

    /// <summary>The live schema, one line for each table, column, constraint, index and so on, in no promised order. Definitions name schemas that are not in the search path, so that must be the Catalog's.</summary>
    internal abstract Task<List<string>> Describe(DbConnection connection, CancellationToken ct);

    /// <summary>The same of what a backup holds: where the engine lets others put theirs beside the Catalog's tables, without that.</summary>
    internal virtual Task<List<string>> DescribeOwn(DbConnection connection, CancellationToken ct) => Describe(connection, ct);

    /// <summary>The names of the tables whose rows a backup holds, the migrator's own among them, each as it is written in a statement.</summary>
    internal abstract string FindRowTables { get; }

    /// <summary>One row: the server's or library's version.</summary>
    internal abstract string FindVersion { get; }

    /// <summary>The indexes that an interrupted build left unusable.</summary>
    internal abstract Task<List<string>> InvalidIndexes(DbConnection connection, CancellationToken ct);

    /// <summary>Takes away tables, views, functions and the like of these names.</summary>
    /// <param name="connection">The migrator's own.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="objects">What to take away, in this order.</param>
    /// <param name="cascade">With what other people have hung on them, where the engine can; otherwise that makes it fail.</param>
    /// <param name="ct">Stops.</param>
    internal abstract Task Drop(DbConnection connection, DbTransaction transaction, IReadOnlyList<(string Kind, string Name)> objects, bool cascade, CancellationToken ct);

    /// <summary>What a preview begins with: how it is run, and the session's settings.</summary>
    /// <param name="limits">How patient to be.</param>
    internal abstract string PreviewOpening(MigrationLimits limits);

    /// <summary>Stops the preview's script when another migrator runs or the database is elsewhere; empty where the engine has no such statement.</summary>
    /// <param name="file">The script's file.</param>
    /// <param name="present">The script that must be in the journal; null: none need be.</param>
    /// <param name="absent">The script that must not be; null: none.</param>
    internal abstract string PreviewGuard(string file, string? present, string? absent);

    /// <summary>The present in UTC as an expression for the journal's zoneless column.</summary>
    internal abstract string PreviewNow { get; }

    /// <summary>The present as an expression for the history's column.</summary>
    internal abstract string PreviewInstant { get; }

    /// <summary>Gives the role that the service's statements run as what it needs, when the role exists; null where the engine has no roles.</summary>
    internal abstract string? Grant(string role, IEnumerable<string> tables);

    /// <summary>The database's name, as a destructive verb asks for it.</summary>
    internal abstract Task<string> DatabaseName(DbConnection connection, CancellationToken ct);
}
