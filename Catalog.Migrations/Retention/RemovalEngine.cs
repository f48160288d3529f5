using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Retention;

/// <summary>The engine-specific parts of a removal.</summary>
internal abstract class RemovalEngine
{
    /// <summary>
    /// The end of a query that locks the found rows and skips rows locked by others; empty on SQLite, which has one
    /// writer at a time.
    /// </summary>
    internal abstract string SkipLocked { get; }

    /// <summary>Takes the lock that excludes other removals until disposal. On Postgres migrators are not excluded.</summary>
    /// <inheritdoc cref="Lock"/>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting, CancellationToken ct);

    /// <summary>Makes the planner use indexes for the rest of the transaction: a large removal makes the statistics wrong.</summary>
    internal abstract Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct);

    /// <summary>
    /// The organizations with rows in a table, where the engine cannot run the one statement that finds them; null where it can.
    /// </summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="walk">Makes a recursive query of the column <c>id</c> from the name of a table.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="ct">Cancels the operation.</param>
    internal virtual Task<List<string>?> OrganizationsOf(DbConnection connection, DbTransaction? transaction, Func<string, string> walk,
        string[] tables, CancellationToken ct) => Task.FromResult<List<string>?>(null);

    /// <summary>Creates the parts for a database's engine.</summary>
    public static RemovalEngine For(MigrationDatabase database) =>
        database.Settings.Engine == DatabaseEngine.Postgres ? new PostgresRemovalEngine() : new SqliteRemovalEngine();
}
