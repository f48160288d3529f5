using System.Data;
using System.Data.Common;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>A Postgres advisory lock that belongs to a session, independent of its transactions.</summary>
/// <param name="Key">The lock number; the same in all processes that must not run at the same time.</param>
/// <param name="Purpose">The task of the lock's holder. Messages about the holder begin with this word.</param>
internal sealed record PostgresAdvisoryLock(long Key, string Purpose)
{
    // The bytes of the word "catalog". The key must be the same in every release.
    private const long CatalogKey = 0x0063_6174_616c_6f67;

    /// <summary>Held by the process that changes the schema.</summary>
    public static PostgresAdvisoryLock Migrator { get; } = new(CatalogKey, "migrator");

    /// <summary>Held by the process that deletes old rows.</summary>
    public static PostgresAdvisoryLock Retention { get; } = new(CatalogKey + 1, "retention");

    /// <summary>Waits for the lock and takes it.</summary>
    /// <param name="connection">The session of the lock. The lock is released when the returned object is disposed or
    /// the connection is closed.</param>
    /// <param name="maxWait">The maximum wait.</param>
    /// <param name="waiting">Called once with a description of the lock holder.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>Null when another session held the lock for the whole time.</returns>
    public async Task<IAsyncDisposable?> Acquire(DbConnection connection, TimeSpan maxWait, Action<string> waiting, CancellationToken ct)
    {
        var until = Environment.TickCount64 + (long)maxWait.TotalMilliseconds;
        var reported = false;
        // The loop polls, because a blocking pg_advisory_lock deadlocks when the holder runs CREATE INDEX CONCURRENTLY.
        while (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
                   "select pg_try_advisory_lock(@key)", new { key = Key }, cancellationToken: ct)))
        {
            if (!reported && await Holder(connection, ct) is { } holder)
            {
                waiting(holder);
                reported = true;
            }

            if (Environment.TickCount64 > until)
            {
                return null;
            }

            await Task.Delay(200, ct);
        }

        return new Held(connection, Key);
    }

    /// <summary>A description of the session that holds the lock; null when it is free.</summary>
    public async Task<string?> Holder(DbConnection connection, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresAdvisoryLock.Holder
            select format('%s with server process %s%s, for %s s', @what, l.pid, ' from ' || host(a.client_addr),
                coalesce(round(extract(epoch from now() - a.backend_start)), 0))
            from pg_locks l
            left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = (@key >> 32)::int::oid
                and l.objid = (@key & 4294967295)::oid
              and l.database = (select oid from pg_database where datname = current_database()) and l.pid <> pg_backend_pid()
            """;

        return await connection.QueryFirstOrDefaultAsync<string>(
            new CommandDefinition(Sql, new { key = Key, what = Purpose }, cancellationToken: ct));
    }

    private sealed class Held(DbConnection connection, long key) : IAsyncDisposable
    {
        // The server releases the locks of a broken connection.
        public async ValueTask DisposeAsync()
        {
            if (connection.State == ConnectionState.Open)
            {
                await connection.ExecuteAsync("select pg_advisory_unlock(@key)", new { key });
            }
        }
    }
}
