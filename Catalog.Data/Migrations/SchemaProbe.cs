using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Database.Sqlite;
using Catalog.Data.Migrations.Postgres;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Data.Migrations;

/// <summary>
/// Checks whether a database has the schema that this build needs, and whether reads and writes of requests would
/// succeed. It does not use the request pool.
/// </summary>
public sealed class SchemaProbe : IAsyncDisposable
{
    private readonly DatabaseSettings _settings;
    private readonly Func<CancellationToken, ValueTask<ContextSql?>>? _contextSql;
    private readonly DbDataSource _source;
    private readonly SchemaDialect _dialect;
    private readonly ReadWriteCheck _requestCheck;
    private readonly Dialect _failures;
    private readonly IReadOnlyList<string> _needed;

    /// <param name="settings">The address. The probe has its own connections, because it must answer when the request
    /// pool is exhausted.</param>
    /// <param name="contextSql">Returns the SQL that sets role and context of requests; null when none is needed.</param>
    public SchemaProbe(DatabaseSettings settings, Func<CancellationToken, ValueTask<ContextSql?>>? contextSql = null)
    {
        DapperTypes.Register();
        (_settings, _contextSql) = (settings, contextSql);
        if (settings.Postgres is { } postgres)
        {
            var session = new PostgresSession(settings.Schema);
            _source = DatabaseFactory.Unpooled(postgres, session, "catalog-ready", statementSeconds: 2, postgres.Timeout);
            (_dialect, _requestCheck, _failures) = (new PostgresSchemaDialect(session), new PostgresReadWriteCheck(session),
                new PostgresDialect());
        }
        else
        {
            _source = SqliteSource.Open(settings.SqlitePath!).Reads;
            (_dialect, _requestCheck, _failures) = (new SqliteSchemaDialect(), new SqliteReadWriteCheck(), new SqliteDialect());
        }

        _needed = [.. Chain.BuiltIn(_dialect.Folder).Scripts.Select(script => script.Name)];
    }

    /// <summary>Checks the database. A database that cannot answer is reported in the result, not thrown.</summary>
    public async Task<SchemaProbeResult> Check(CancellationToken ct)
    {
        var opened = false;
        try
        {
            await using var connection = await _source.OpenConnectionAsync(ct);
            opened = true;
            var applied = await Applied(connection, ct);
            var head = Path.GetFileNameWithoutExtension(applied.Select(row => row.ScriptName).Max(StringComparer.Ordinal));
            var pending = _needed.Except(applied.Select(row => row.ScriptName), StringComparer.Ordinal).ToList();
            if (pending.Count > 0)
            {
                return new(false, head,
                    $"The schema is behind: {string.Join(", ", pending.Select(Path.GetFileNameWithoutExtension))} not applied. "
                    + "Run `catalog-migrations upgrade head`.")
                { IsBehind = true };
            }

            await _requestCheck.Run(connection, _contextSql is null ? null : await _contextSql(ct), ct);
            return new(true, head, null) { IsBehind = false };
        }
        catch (MigrationException unreadable)
        {
            return new(false, null, unreadable.Message);
        }
        catch (DatabaseUnavailableException unavailable)
        {
            return new(false, null, Describe(unavailable.Reason))
            {
                Cause = unavailable.InnerException is { } inner ? DatabaseFactory.DescribeFailure(_settings, inner) : null
            };
        }
        catch (Exception exception) when (_failures.Classify(exception) is { } reason)
        {
            return new(false, null, Describe(reason)) { Cause = DatabaseFactory.DescribeFailure(_settings, exception) };
        }
        catch (DbException refusal) when (!opened)
        {
            return new(false, null, Describe(Unavailability.SessionRefused))
            { Cause = DatabaseFactory.DescribeFailure(_settings, refusal) };
        }
    }

    private async Task<List<AppliedScript>> Applied(DbConnection connection, CancellationToken ct)
    {
        await using var reading = await _dialect.BeginRead(connection, ct);
        return await Journal.Read(connection, reading, _dialect, ct);
    }

    /// <summary>The reason as a sentence for an operator, without host, user or secret.</summary>
    public static string Describe(Unavailability reason) => reason switch
    {
        Unavailability.Unreachable => "The database cannot be reached: check that it runs, and check the address and the network.",
        Unavailability.AuthenticationFailed =>
            "The database rejected the user or the password: correct them in the address; in a password, write @ as %40, : as %3A "
                + "and / as %2F.",
        Unavailability.DatabaseMissing => "The server has no database with this name: create it, or correct the name.",
        Unavailability.TimedOut =>
            "The database did not answer in time: run `catalog-migrations doctor` to see running statements and lock waits.",
        Unavailability.Contended => "The transaction conflicted with another one.",
        Unavailability.OutOfResources =>
            "The database is out of disk space, memory or connections: run `catalog-migrations doctor` to compare the pools with the "
                + "server's limits.",
        Unavailability.ReadOnly => "The database is read-only: connect to the primary, or make the file writable for this user.",
        Unavailability.TlsFailed =>
            "The TLS connection to the database failed: check the server's TLS settings, its certificate, and sslmode.",
        Unavailability.NotPermitted =>
            "The database role has no rights on the Catalog's tables, or the login can no longer assume it: run `catalog-migrations "
                + "grant`.",
        Unavailability.NotIsolated =>
            "Row-level security is required (DATAXPIPE_REQUIRE_RLS) but not in effect: run `catalog-migrations doctor` to see the reason.",
        Unavailability.FileUnusable => "The SQLite file cannot be opened: check that its folder exists and that this user can write there.",
        Unavailability.NotADatabase => "The file is not a SQLite database, or is damaged: name another file, or restore it.",
        Unavailability.SessionRefused =>
            "The server rejects the session: correct the options in the address, or the settings of the role or the database; the log "
                + "contains the server's message.",
        Unavailability.PoolerInBetween =>
            "A pooler in transaction mode is in front of the database: set DATAXPIPE_PGBOUNCER=true, or use the address of the "
                + "server itself.",
        _ => "A table or column is missing: run `catalog-migrations current` to see pending scripts, `catalog-migrations verify` to "
            + "see differences.",
    };

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
