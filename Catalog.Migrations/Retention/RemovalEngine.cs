using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Retention;

/// <summary>What the engines do differently when old rows are removed.</summary>
internal abstract class RemovalEngine
{
    /// <summary>After a query: locks the rows it finds and leaves out those that somebody else has locked; empty where a writer is alone anyway.</summary>
    internal abstract string SkipLocked { get; }

    /// <summary>Holds off others that remove old rows while the returned lock lives; migrators are not held off.</summary>
    /// <inheritdoc cref="Lock"/>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct);

    /// <summary>Has the rest of a transaction look rows up by index, whatever the statistics say, which a large removal makes wrong.</summary>
    internal abstract Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct);

    /// <summary>The engine's.</summary>
    public static RemovalEngine For(MigrationDatabase database) =>
        database.Settings.Engine == DatabaseEngine.Postgres ? new PostgresRemovalEngine() : new SqliteRemovalEngine();
}
