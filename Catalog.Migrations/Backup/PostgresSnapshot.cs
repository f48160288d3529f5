using System.Data;
using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Postgres;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>One state of a Postgres database, kept still by a transaction, so that what is counted here and what pg_dump writes are the same.</summary>
public sealed class PostgresSnapshot : IAsyncDisposable
{
    private readonly DbConnection _connection;
    private readonly DbTransaction _transaction;

    private PostgresSnapshot(DbConnection connection, DbTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    /// <summary>What pg_dump's <c>--snapshot</c> takes; it is good while this lives.</summary>
    public required string Id { get; init; }

    /// <summary>The server's major version.</summary>
    public required int Major { get; init; }

    /// <summary>The tables of which row-level security shows this role some rows only; empty when it sees all.</summary>
    public required IReadOnlyList<string> Hidden { get; init; }

    /// <summary>The Catalog's tables that are there and the migrator's, each as it is written in a statement.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>What lies on those tables and stays behind, as pg_restore's list names it: the numbers of its kind and of itself.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>What of others lies in the schema or on those tables and stays behind, in words.</summary>
    public required IReadOnlyList<string> Excluded { get; init; }

    /// <summary>See <see cref="PostgresClientAddress.EnvironmentVariables"/>; holds the password.</summary>
    public required IReadOnlyDictionary<string, string?> Environment { get; init; }

    /// <summary>Begins the transaction.</summary>
    /// <param name="database">The database.</param>
    /// <param name="lockWait">How long to wait for a table that somebody has locked.</param>
    /// <param name="ct">Stops.</param>
    public static async Task<PostgresSnapshot> Take(MigrationDatabase database, TimeSpan lockWait, CancellationToken ct)
    {
        const string Begin = """
            -- PostgresSnapshot.Take
            select set_config('lock_timeout', @wait, true), set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)
            """;
        const string Look = """
            -- PostgresSnapshot.Take look
            select pg_export_snapshot() as id, current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding
            """;
        // What the server itself would do to a select: superusers, bypassrls and owners of tables without "force" see every row.
        const string Hidden = $"""
            -- PostgresSnapshot.Take hidden
            select c.oid::regclass::text from pg_class c where c.oid in ({PostgresOwnObjects.TableOids}) and c.relrowsecurity and row_security_active(c.oid) order by 1
            """;
        const string Tables = $"""
            -- PostgresSnapshot.Take tables
            select quote_ident(c.relname) from pg_class c where c.oid in ({PostgresOwnObjects.TableOids}) order by 1
            """;
        const string LeftOut = $"""
            -- PostgresSnapshot.Take left out
            select format('%s %s', classid, objid) from ({PostgresOwnObjects.Excluded}) left_out order by 1
            """;
        const string Excluded = $"""
            -- PostgresSnapshot.Take excluded
            select 'the ' || pg_describe_object(classid, objid, 0) from ({PostgresOwnObjects.Excluded} union all {PostgresOwnObjects.Foreign}) excluded order by 1
            """;

        var connection = await database.Reads.OpenConnectionAsync(ct);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            async Task<List<string>> Names(string sql) => (await connection.QueryAsync<string>(new CommandDefinition(sql, transaction: transaction, cancellationToken: ct))).AsList();
            await connection.ExecuteAsync(new CommandDefinition(Begin, new { wait = $"{(long)lockWait.TotalMilliseconds}ms" }, transaction, cancellationToken: ct));
            var (id, version, encoding) = await connection.QuerySingleAsync<(string, int, string)>(new CommandDefinition(Look, transaction: transaction, cancellationToken: ct));
            PostgresSchemaDialect.RequireSupportedServer(version, encoding);
            return new(connection, transaction)
            {
                Id = id,
                Major = version / 10_000,
                Hidden = await Names(Hidden),
                Tables = await Names(Tables),
                LeftOut = await Names(LeftOut),
                Excluded = await Names(Excluded),
                Environment = PostgresClientAddress.EnvironmentVariables(database.Settings, connection),
            };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Counts in the snapshot. Each table counted is then locked against changes of the schema until this ends.</summary>
    public Task<DatabaseContents> Contents(MigrationDatabase database, CancellationToken ct) => DatabaseContents.Read(_connection, _transaction, database.Dialect, database.Reader, ct);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
