using System.Data.Common;
using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Postgres;
using Catalog.Migrations.Distribution;
using Dapper;

namespace Catalog.Migrations.Retention;

internal sealed class PostgresRemovalEngine : RemovalEngine
{
    internal override string SkipLocked => "for update skip locked";

    internal override Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting,
        CancellationToken ct) =>
        PostgresAdvisoryLock.Retention.Acquire(connection, maxWait, waiting, ct);

    // Citus rejects the recursive query, because the query is not limited to one organization. Each shard is an
    // ordinary table, so the query runs on each shard instead.
    internal override async Task<List<string>?> OrganizationsOf(DbConnection connection, DbTransaction? transaction,
        Func<string, string> walk, string[] tables, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresRemovalEngine.OrganizationsOf
            select success, result
            from run_command_on_shards(@table::regclass, @command)
            """;

        if (await CitusTable.ReadAll(connection, ct) is not { } known
            || !known.Exists(table => !table.IsLocal && tables.Contains(table.Name)))
        {
            return null;
        }

        var organizations = new HashSet<string>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            // Citus runs the command through format(), which replaces %1$s with the shard's name. The command must
            // contain no other percent sign.
            var command = $"with recursive {walk("%1$s")} select coalesce(json_agg(id), '[]') from found where id is not null";
            var shards = await connection.QueryAsync<(bool Success, string Result)>(
                new CommandDefinition(Sql, new { table, command }, transaction, cancellationToken: ct));
            foreach (var (success, result) in shards)
            {
                organizations.UnionWith(success
                    ? JsonSerializer.Deserialize<string[]>(result)!
                    : throw new MigrationException(MigrationFault.ConnectionLost,
                        $"A part of the table {table} could not be read. Run `catalog-migrations doctor` to find the server that does not "
                            + "answer, then run this again."));
            }
        }

        return [.. organizations];
    }

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
