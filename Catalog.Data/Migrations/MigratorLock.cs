using System.Data.Common;
using System.Diagnostics;
using Dapper;

namespace Catalog.Data.Migrations;

/// <summary>Runs operations on a schema while other migrators are locked out.</summary>
internal sealed class MigratorLock(MigrationDatabase database, Chain chain, MigrationLimits limits, Action<MigrationStep>? progress)
{
    private readonly SchemaDialect _dialect = database.Dialect;

    /// <summary>Runs an operation while this process holds the lock. On SQLite the transaction of each script is the lock.</summary>
    /// <param name="work">The operation; its arguments are the connection that holds the lock and the migration status.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <param name="rejectFaults">Whether a journal with faults is rejected.</param>
    /// <exception cref="MigrationException">The lock was not obtained, the database cannot be migrated, or the journal
    /// has a fault.</exception>
    public async Task<T> Run<T>(Func<DbConnection, SchemaStatus, Task<T>> work, CancellationToken ct, bool rejectFaults = true)
    {
        await using var connection = await RetryOnLock(() => database.Source.OpenConnectionAsync(ct).AsTask(), ct);
        await _dialect.BeginSession(connection, stop => database.Source.OpenConnectionAsync(stop), limits, ct);
        await using var held = await _dialect.Lock(connection, limits.MaxWait, holder =>
            progress?.Invoke(new("", $"waiting for {holder}")), ct)
            ?? throw new MigrationException(MigrationFault.LockNotObtained,
                $"The migration lock was not obtained in {limits.MaxWait.TotalSeconds:0} s"
                + (await _dialect.Holder(connection, ct) is { } migrator
                    ? $": it is held by {migrator}. Wait for this migrator to finish, or find it with `catalog-migrations doctor` and "
                        + "end it with `catalog-migrations kill`."
                    : ": another process held it or wrote to the database. Run this again when that process is done."));
        var status = await SchemaStatus.Read(connection, _dialect, chain, ct);
        if (rejectFaults && status.Faults.Count > 0)
        {
            throw status.Faults[0];
        }

        return await work(connection, status);
    }

    /// <summary>Creates the journal and the history if they do not exist.</summary>
    public Task CreateJournal(DbConnection connection, CancellationToken ct) => RetryOnLock(async () =>
    {
        await _dialect.CreateJournal(connection, ct);
        return true;
    }, ct);

    /// <summary>Whether the journal exists, even if it is empty.</summary>
    public async Task<bool> HasJournal(DbConnection connection, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<int?>(new CommandDefinition(_dialect.FindJournal, cancellationToken: ct)) is not null;

    /// <summary>The names of tables and views that are not the migrator's own.</summary>
    public async Task<List<string>> Tables(DbConnection connection, CancellationToken ct) =>
        (await connection.QueryAsync<string>(new CommandDefinition(_dialect.FindTables, cancellationToken: ct))).AsList();

    // On SQLite any write can fail because another process has locked the file.
    private async Task<T> RetryOnLock<T>(Func<Task<T>> work, CancellationToken ct)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (_dialect.IsLockTimeout(exception))
            {
                if (clock.Elapsed > limits.MaxWait)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained,
                        $"The database was locked by other clients for {limits.MaxWait.TotalSeconds:0.###} s. Run this again when "
                            + "they are done.",
                        exception);
                }

                await Task.Delay(200, ct);
            }
        }
    }
}
