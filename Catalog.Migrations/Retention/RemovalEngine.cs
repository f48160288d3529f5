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

    /// <summary>
    /// Takes the lock that excludes other removals until disposal. On SQLite, it also excludes migrators; on Postgres,
    /// it does not.
    /// </summary>
    /// <inheritdoc cref="SchemaDialect.Lock"/>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting, CancellationToken ct);

    /// <summary>
    /// Makes the planner of Postgres use indexes for the rest of the transaction, because a large removal makes the
    /// statistics wrong.
    /// </summary>
    internal abstract Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct);

    /// <summary>
    /// Returns the ids of the organizations with rows in a table, if the engine cannot find them with one statement.
    /// Returns null if the engine can.
    /// </summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="walk">Returns a recursive query of the column <c>id</c> for the name of a table.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="ct">Cancels the operation.</param>
    internal virtual Task<List<string>?> OrganizationsOf(DbConnection connection, DbTransaction? transaction, Func<string, string> walk,
        string[] tables, CancellationToken ct) => Task.FromResult<List<string>?>(null);

    /// <summary>Creates the parts for a database's engine.</summary>
    public static RemovalEngine For(MigrationDatabase database) =>
        database.Settings.Engine == DatabaseEngine.Postgres ? new PostgresRemovalEngine() : new SqliteRemovalEngine();
}
