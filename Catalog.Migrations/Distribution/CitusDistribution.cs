using System.Data.Common;
using System.Diagnostics;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Distribution;

/// <summary>
/// Distributes the Catalog's tables over the servers of a Citus cluster by organization, so that all rows of an
/// organization are on one server. Tables that are already distributed are skipped.
/// </summary>
public sealed class CitusDistribution(MigrationDatabase database, Migrator migrator)
{
    private const int Attempts = 10;

    /// <summary>Called after each table with its name and the duration; null for no calls.</summary>
    public Action<string, TimeSpan>? Progress { get; init; }

    /// <summary>
    /// Returns the Catalog's tables. <see cref="Apply"/> would distribute those that are local. Changes nothing.
    /// </summary>
    /// <exception cref="MigrationException">The database has no Citus, or a table is distributed differently.</exception>
    public async Task<IReadOnlyList<CitusTable>> Plan(CancellationToken ct)
    {
        RequirePostgres();
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await database.Dialect.BeginRead(connection, ct);
        return await Tables(connection, ct);
    }

    /// <summary>Distributes the local tables, each in a transaction of its own.</summary>
    /// <param name="shards">The number of parts of each table; null for the server's setting. It is used only when the
    /// first table is distributed. The other tables get the same number as the first table.</param>
    /// <param name="ct">Cancels the operation; finished tables stay distributed.</param>
    /// <returns>The Catalog's tables as they were before the call.</returns>
    /// <exception cref="MigrationException">The same reasons as for <see cref="Plan"/>, or a table stayed
    /// locked.</exception>
    public Task<IReadOnlyList<CitusTable>> Apply(int? shards, CancellationToken ct)
    {
        RequirePostgres();
        return migrator.RunExclusive<IReadOnlyList<CitusTable>>(async connection =>
        {
            var tables = await Tables(connection, ct);
            foreach (var table in tables.Where(table => table.IsLocal))
            {
                var clock = Stopwatch.StartNew();
                await RetryOnLock(table.Name, () => Distribute(connection, table.Name, shards, ct), ct);
                Progress?.Invoke(table.Name, clock.Elapsed);
            }

            return tables;
        }, ct);
    }

    /// <summary>
    /// Returns the local tables of a database in which other tables are distributed. Scripts added them after the
    /// distribution. Empty if no table is distributed.
    /// </summary>
    public static async Task<List<string>> Undistributed(MigrationDatabase database, CancellationToken ct)
    {
        if (database.Settings.Engine != DatabaseEngine.Postgres)
        {
            return [];
        }

        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await database.Dialect.BeginRead(connection, ct);
        return await CitusTable.ReadAll(connection, ct) is { } tables && tables.Exists(table => !table.IsLocal)
            ? [.. tables.Where(table => table.IsLocal).Select(table => table.Name)] : [];
    }

    private void RequirePostgres()
    {
        if (database.Settings.Engine != DatabaseEngine.Postgres)
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                "SQLite cannot distribute tables: set DATAXPIPE_DB to the coordinator of a Citus cluster. Nothing was changed.");
        }
    }

    private static async Task<List<CitusTable>> Tables(DbConnection connection, CancellationToken ct)
    {
        const string Available = """
            -- CitusDistribution.Available
            select exists (select from pg_available_extensions where name = 'citus')
            """;

        if (await CitusTable.ReadAll(connection, ct) is not { } tables)
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                await connection.ExecuteScalarAsync<bool>(new CommandDefinition(Available, cancellationToken: ct))
                    ? "This database does not have the extension citus: run `create extension citus` in it as a superuser, on the "
                        + "coordinator and on every worker, and add the workers with `select citus_add_node('HOST', 5432)`. Nothing was "
                        + "changed."
                    : "The server does not offer the extension citus: install Citus, or use the server without it. Nothing was changed.");
        }

        return CitusTable.Misplaced(tables) is { Count: > 0 } misplaced
            ? throw new MigrationException(MigrationFault.Drift,
                $"{Quantity.Of(misplaced.Count, "table is", "tables are")} not distributed by {PostgresCitus.Column} together with "
                    + $"{PostgresCitus.FirstTable}: {Quantity.Few(misplaced.ConvertAll(table => table.Name))}. Run "
                    + "`select undistribute_table('NAME')` for each, then this command again. Nothing was changed.")
            : tables;
    }

    private static async Task<bool> Distribute(DbConnection connection, string table, int? shards, CancellationToken ct)
    {
        // Citus accepts a number of shards only when colocate_with does not name another table.
        const string First = $"""
            -- CitusDistribution.Distribute
            select create_distributed_table(@table::regclass, '{PostgresCitus.Column}', colocate_with => 'none',
                shard_count => coalesce(@shards, current_setting('citus.shard_count')::int))
            """;
        const string Colocated = $"""
            -- CitusDistribution.Distribute
            select create_distributed_table(@table::regclass, '{PostgresCitus.Column}', colocate_with => '{PostgresCitus.FirstTable}')
            """;
        // Distributing a table copies its rows to the shards and leaves the old rows in the coordinator's own table.
        // This statement removes the old rows.
        const string RemoveCopied = """
            -- CitusDistribution.RemoveCopied
            select truncate_local_data_after_distributing_table(@table::regclass)
            """;

        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var sql in new[] { table == PostgresCitus.FirstTable ? First : Colocated, RemoveCopied })
        {
            await connection.ExecuteAsync(new CommandDefinition(sql, new { table, shards }, transaction, cancellationToken: ct));
        }

        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task RetryOnLock(string table, Func<Task<bool>> work, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception exception) when (database.Dialect.IsLockTimeout(exception))
            {
                if (attempt == Attempts)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained,
                        $"The table {table} was locked by other sessions in all {attempt} attempts. Tables that are distributed stay so. "
                            + "Stop the service, or end these sessions (`catalog-migrations doctor` lists them), and run this again.",
                        exception);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(500), ct);
            }
        }
    }
}
