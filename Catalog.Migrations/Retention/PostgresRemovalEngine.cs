using System.Data.Common;
using Catalog.Data.Migrations.Postgres;
using Dapper;

namespace Catalog.Migrations.Retention;

internal sealed class PostgresRemovalEngine : RemovalEngine
{
    internal override string SkipLocked => "for update skip locked";

    internal override Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting,
        CancellationToken ct) =>
        PostgresAdvisoryLock.Retention.Acquire(connection, maxWait, waiting, ct);

    internal override Task PlanByIndex(DbConnection connection, DbTransaction transaction, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresRemovalEngine.PlanByIndex
            select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin',
                'off', true)
            """;

        return connection.ExecuteAsync(new CommandDefinition(Sql, transaction: transaction, cancellationToken: ct));
    }
}
