using System.Data.Common;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Migrations.Retention;

internal sealed class SqliteRemovalEngine : RemovalEngine
{
    internal override string SkipLocked => "";

    // A batch is an immediate transaction, so those of several take turns.
    internal override Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct) =>
        new SqliteSchemaDialect().Lock(connection, patience, waiting, ct);

    internal override Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct) => Task.CompletedTask;
}
