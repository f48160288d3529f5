using System.Data.Common;
using Dapper;
using Npgsql;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>
/// Refuses a pooler in transaction mode, which would lend the session that holds the migrator's lock to other clients. A pooler gives
/// its clients a process number of its own. Then a second connection tells the modes apart: in transaction mode it is handed the
/// server process that the first one, idle between two statements, has just given back.
/// </summary>
internal static class PostgresPoolerCheck
{
    /// <exception cref="MigrationException">A pooler in transaction or statement mode.</exception>
    public static async Task Refuse(NpgsqlConnection connection, int process, Func<CancellationToken, ValueTask<DbConnection>> another, CancellationToken ct)
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
                var lent = new TaskCompletionSource<int>();
                var second = HoldAnother(another, lent, release.Task, ct);
                // In session mode the second connection may wait for a server process of its own without end: that is the safe kind of pooler.
                // It is not cancelled, because PgBouncer lets a cancel wait too; it ends by itself once it is served.
                if (await Task.WhenAny(lent.Task, second, Task.Delay(TimeSpan.FromSeconds(3), ct)) != lent.Task)
                {
                    await (second.IsCompleted ? second : Task.CompletedTask);
                    return;
                }

                if (await lent.Task == process
                    || await connection.ExecuteScalarAsync<int>(new CommandDefinition("select pg_backend_pid()", cancellationToken: ct)) != process)
                {
                    throw Refusal();
                }
            }
        }
        catch (PostgresException exception) when (exception.SqlState == "08P01" && exception.MessageText.Contains("pooling mode", StringComparison.Ordinal))
        {
            // Statement mode refuses transactions.
            throw Refusal(exception);
        }
        finally
        {
            release.SetResult();
        }

        static MigrationException Refusal(Exception? cause = null) => new(MigrationFault.WrongTarget,
            "A pooler in transaction mode stands between: it would lend the migrator's lock and settings to others. Set DATAXPIPE_MIGRATIONS_DB to the server's own address.", cause);
    }

    private static async Task HoldAnother(Func<CancellationToken, ValueTask<DbConnection>> another, TaskCompletionSource<int> lent, Task release, CancellationToken ct)
    {
        await using var second = await another(ct);
        await using var transaction = await second.BeginTransactionAsync(ct);
        lent.SetResult(await second.ExecuteScalarAsync<int>(new CommandDefinition("select pg_backend_pid()", transaction: transaction, cancellationToken: CancellationToken.None)));
        await release;
    }
}
