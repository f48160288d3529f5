using System.Data.Common;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Migrations.Retention;

internal sealed class SqliteRemovalEngine : RemovalEngine
{
    internal override string SkipLocked => "";

    // The migrator's lock is good enough here. Batches are immediate transactions, so concurrent removals would only
    // wait for each other.
    internal override Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting,
        CancellationToken ct) =>
        new SqliteSchemaDialect().Lock(connection, maxWait, waiting, ct);

    internal override Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct) => Task.CompletedTask;
}
