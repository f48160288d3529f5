using System.Data;
using System.Data.Common;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>A lock of the server that one session holds, whatever it does in its transactions.</summary>
/// <param name="Key">The same in every process that must not work at the same time.</param>
/// <param name="Purpose">What the holder does, as the message about it begins.</param>
internal sealed record PostgresAdvisoryLock(long Key, string Purpose)
{
    // "catalog" as bytes. Every release must use the same number.
    private const long CatalogKey = 0x0063_6174_616c_6f67;

    /// <summary>Held by the one process that changes the schema.</summary>
    public static PostgresAdvisoryLock Migrator { get; } = new(CatalogKey, "migrator");

    /// <summary>Held by the one process that removes old rows.</summary>
    public static PostgresAdvisoryLock Retention { get; } = new(CatalogKey + 1, "retention");

    /// <summary>Takes the lock.</summary>
    /// <param name="connection">Holds the lock until the returned object is disposed, or until it is closed.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="waiting">Told once which process holds the lock.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>Null when another session held the lock for the whole time.</returns>
    public async Task<IAsyncDisposable?> Take(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct)
    {
        var until = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        var told = false;
        // Polling from an idle connection: a blocked pg_advisory_lock deadlocks with CREATE INDEX CONCURRENTLY in the holder.
        while (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
                   "select pg_try_advisory_lock(@key)", new { key = Key }, cancellationToken: ct)))
        {
            if (!told && await Holder(connection, ct) is { } holder)
            {
                waiting(holder);
                told = true;
            }

            if (Environment.TickCount64 > until)
            {
                return null;
            }

            await Task.Delay(200, ct);
        }

        return new Held(connection, Key);
    }

    /// <summary>The session that holds the lock, in words; null when it is free.</summary>
    public async Task<string?> Holder(DbConnection connection, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresAdvisoryLock.Holder
            select format('%s with server process %s%s, for %s s', @what, l.pid, ' from ' || host(a.client_addr), coalesce(round(extract(epoch from now() - a.backend_start)), 0))
            from pg_locks l
            left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = (@key >> 32)::int::oid and l.objid = (@key & 4294967295)::oid
              and l.database = (select oid from pg_database where datname = current_database()) and l.pid <> pg_backend_pid()
            """;

        return await connection.QueryFirstOrDefaultAsync<string>(new CommandDefinition(Sql, new { key = Key, what = Purpose }, cancellationToken: ct));
    }

    private sealed class Held(DbConnection connection, long key) : IAsyncDisposable
    {
        // A broken connection has given its lock back already.
        public async ValueTask DisposeAsync()
        {
            if (connection.State == ConnectionState.Open)
            {
                await connection.ExecuteAsync("select pg_advisory_unlock(@key)", new { key });
            }
        }
    }
}
