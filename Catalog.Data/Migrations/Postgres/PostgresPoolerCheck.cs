using System.Data.Common;
using Dapper;
using Npgsql;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>
/// Rejects a pooler in transaction mode, which would share the session of the migrator's lock with other clients. A
/// pooler reports its own process number to clients. A second connection shows the mode: in transaction mode it gets
/// the server process of the first connection, while the first connection is idle between two statements.
/// </summary>
internal static class PostgresPoolerCheck
{
    /// <exception cref="MigrationException">
    /// A pooler in transaction or statement mode is in front of the database.
    /// </exception>
    public static async Task Validate(NpgsqlConnection connection, int process, Func<CancellationToken, ValueTask<DbConnection>> another,
        CancellationToken ct)
    {
        if (connection.ProcessID == process)
        {
            return;
        }

        var release = new TaskCompletionSource();
        try
        {
            for (var round = 0; round < 5; round++)
            {
                var secondProcess = new TaskCompletionSource<int>();
                var second = HoldAnother(another, secondProcess, release.Task, ct);
                // In session mode, which is safe, the second connection may wait for a server process without limit. It
                // is not cancelled, because PgBouncer may delay a cancel request too. It ends when it gets a process.
                if (await Task.WhenAny(secondProcess.Task, second, Task.Delay(TimeSpan.FromSeconds(3), ct)) != secondProcess.Task)
                {
                    await (second.IsCompleted ? second : Task.CompletedTask);
                    return;
                }

                if (await secondProcess.Task == process
                    || await connection.ExecuteScalarAsync<int>(
                        new CommandDefinition("select pg_backend_pid()", cancellationToken: ct)) != process)
                {
                    throw Error();
                }
            }
        }
        catch (PostgresException exception) when (exception.SqlState == "08P01"
            && exception.MessageText.Contains("pooling mode", StringComparison.Ordinal))
        {
            // Statement mode rejects transactions.
            throw Error(exception);
        }
        finally
        {
            release.SetResult();
        }

        static MigrationException Error(Exception? cause = null) => new(MigrationFault.WrongTarget,
            "A pooler in transaction mode is in front of the database: it would share the migrator's lock and settings with other "
                + "clients. Set DATAXPIPE_MIGRATIONS_DB to the address of the server itself.", cause);
    }

    private static async Task HoldAnother(Func<CancellationToken, ValueTask<DbConnection>> another, TaskCompletionSource<int> secondProcess,
        Task release, CancellationToken ct)
    {
        await using var second = await another(ct);
        await using var transaction = await second.BeginTransactionAsync(ct);
        secondProcess.SetResult(
            await second.ExecuteScalarAsync<int>(
                new CommandDefinition("select pg_backend_pid()", transaction: transaction, cancellationToken: CancellationToken.None)));
        await release;
    }
}
