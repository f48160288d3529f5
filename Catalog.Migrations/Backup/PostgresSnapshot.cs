using System.Data;
using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Postgres;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>
/// A snapshot of a Postgres database, held by a transaction. The row counts here and the dump by pg_dump see the same
/// state.
/// </summary>
public sealed class PostgresSnapshot : IAsyncDisposable
{
    private readonly DbConnection _connection;
    private readonly DbTransaction _transaction;

    private PostgresSnapshot(DbConnection connection, DbTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    /// <summary>The id for pg_dump's <c>--snapshot</c>; valid until disposal.</summary>
    public required string Id { get; init; }

    /// <summary>The server's major version.</summary>
    public required int Major { get; init; }

    /// <summary>
    /// The tables on which row-level security can hide rows from this role; empty if the role sees all rows.
    /// </summary>
    public required IReadOnlyList<string> Hidden { get; init; }

    /// <summary>The existing tables of the Catalog and the migrator, quoted as in SQL.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>
    /// The objects on <see cref="Tables"/> to leave out. Each is written as in the list of pg_restore: the oid of its
    /// system catalog, a space, its own oid.
    /// </summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>
    /// Descriptions of the objects in the schema or on <see cref="Tables"/> that the backup does not contain.
    /// </summary>
    public required IReadOnlyList<string> Excluded { get; init; }

    /// <summary>
    /// The results of <see cref="PostgresOwnObjects.Requirements"/>, each as a text such as "column x of table runs:
    /// type mood".
    /// </summary>
    public required IReadOnlyList<string> Requires { get; init; }

    /// <summary>See <see cref="LibpqEnvironment.EnvironmentVariables"/>; contains the password.</summary>
    public required IReadOnlyDictionary<string, string?> Environment { get; init; }

    /// <summary>Begins the transaction and reads all properties in it.</summary>
    /// <param name="database">The database.</param>
    /// <param name="lockWait">Maximum wait for a table lock.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<PostgresSnapshot> Take(MigrationDatabase database, TimeSpan lockWait, CancellationToken ct)
    {
        const string Begin = """
            -- PostgresSnapshot.Take
            select set_config('lock_timeout', @wait, true), set_config('statement_timeout', '0', true),
                set_config('idle_in_transaction_session_timeout', '0', true)
            """;
        const string Export = """
            -- PostgresSnapshot.Take export
            select pg_export_snapshot() as id, current_setting('server_version_num')::int as version,
                current_setting('server_encoding') as encoding
            """;
        // row_security_active applies the server's own rules: superusers, roles with bypassrls, and owners of tables
        // without "force" see all rows.
        const string Hidden = $"""
            -- PostgresSnapshot.Take hidden
            select c.oid::regclass::text from pg_class c where c.oid in ({PostgresOwnObjects.TableOids}) and c.relrowsecurity
                and row_security_active(c.oid) order by 1
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
            select 'the ' || pg_describe_object(classid, objid, 0)
                from ({PostgresOwnObjects.Excluded} union all {PostgresOwnObjects.Others}) excluded order by 1
            """;

        const string Requires = $"""
            -- PostgresSnapshot.Take requires
            select part || ': ' || required from ({PostgresOwnObjects.Requirements}) requires order by 1
            """;

        var connection = await database.Reads.OpenConnectionAsync(ct);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            async Task<List<string>> Names(string sql) =>
                (await connection.QueryAsync<string>(new CommandDefinition(sql, transaction: transaction, cancellationToken: ct))).AsList();
            await connection.ExecuteAsync(
                new CommandDefinition(Begin, new { wait = $"{(long)lockWait.TotalMilliseconds}ms" }, transaction, cancellationToken: ct));
            var (id, version, encoding) = await connection.QuerySingleAsync<(string, int, string)>(
                new CommandDefinition(Export, transaction: transaction, cancellationToken: ct));
            PostgresSchemaDialect.RequireSupportedServer(version, encoding);
            return new(connection, transaction)
            {
                Id = id,
                Major = version / 10_000,
                Hidden = await Names(Hidden),
                Tables = await Names(Tables),
                LeftOut = await Names(LeftOut),
                Excluded = await Names(Excluded),
                Requires = await Names(Requires),
                Environment = LibpqEnvironment.EnvironmentVariables(database.Settings, connection),
            };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Reads the contents in the snapshot. Until disposal, the tables are then locked against schema changes.
    /// </summary>
    public Task<DatabaseContents> Contents(MigrationDatabase database, CancellationToken ct) =>
        DatabaseContents.Read(_connection, _transaction, database.Dialect, database.Reader, ct);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
