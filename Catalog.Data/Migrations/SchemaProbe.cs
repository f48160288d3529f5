using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Database.Sqlite;
using Catalog.Data.Migrations.Postgres;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Data.Migrations;

/// <summary>
/// Looks at a database from beside the requests: whether it has the schema that this build was made for, and whether what readers
/// and writers need would succeed.
/// </summary>
public sealed class SchemaProbe : IAsyncDisposable
{
    private readonly DatabaseSettings _settings;
    private readonly Func<CancellationToken, ValueTask<string?>>? _before;
    private readonly DbDataSource _source;
    private readonly SchemaDialect _dialect;
    private readonly RequestTrial _trial;
    private readonly Dialect _failures;
    private readonly IReadOnlyList<string> _needed;

    /// <param name="settings">The address. The probe has connections of its own, because it must answer when the request pool is exhausted.</param>
    /// <param name="before">What goes before the statements of requests, which sets their role and context; null: nothing.</param>
    public SchemaProbe(DatabaseSettings settings, Func<CancellationToken, ValueTask<string?>>? before = null)
    {
        DapperTypes.Register();
        (_settings, _before) = (settings, before);
        if (settings.Postgres is { } postgres)
        {
            var session = new PostgresSession(settings.Schema);
            _source = Databases.Unpooled(postgres, session, "catalog-ready", statementSeconds: 2, postgres.Timeout);
            (_dialect, _trial, _failures) = (new PostgresSchemaDialect(session), new PostgresRequestTrial(session), new PostgresDialect());
        }
        else
        {
            _source = SqliteSource.Open(settings.SqlitePath!).Reads;
            (_dialect, _trial, _failures) = (new SqliteSchemaDialect(), new SqliteRequestTrial(), new SqliteDialect());
        }

        _needed = [.. Chain.BuiltIn(_dialect.Folder).Scripts.Select(script => script.Name)];
    }

    /// <summary>Asks the database. Never throws for a database that cannot answer: that is what it reports.</summary>
    public async Task<SchemaState> Look(CancellationToken ct)
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
                return new(false, head, $"The schema is behind: {string.Join(", ", pending.Select(Path.GetFileNameWithoutExtension))} not applied. "
                    + "Run `catalog-migrations upgrade head`.");
            }

            await _trial.Run(connection, _before is null ? null : await _before(ct), ct);
            return new(true, head, null);
        }
        catch (MigrationException unreadable)
        {
            return new(false, null, unreadable.Message);
        }
        catch (DatabaseUnavailableException unavailable)
        {
            return new(false, null, Words(unavailable.Reason)) { Cause = unavailable.InnerException is { } inner ? Databases.WhyUnreachable(_settings, inner) : null };
        }
        catch (Exception exception) when (_failures.WhyUnavailable(exception) is { } reason)
        {
            return new(false, null, Words(reason)) { Cause = Databases.WhyUnreachable(_settings, exception) };
        }
        catch (DbException refusal) when (!opened)
        {
            return new(false, null, Words(Unavailability.SessionRefused)) { Cause = Databases.WhyUnreachable(_settings, refusal) };
        }
    }

    private async Task<List<AppliedScript>> Applied(DbConnection connection, CancellationToken ct)
    {
        await using var reading = await _dialect.Reading(connection, ct);
        return await Journal.Read(connection, reading, _dialect, ct);
    }

    /// <summary>The reason in words for an operator, without a host, a user or a secret.</summary>
    public static string Words(Unavailability reason) => reason switch
    {
        Unavailability.Unreachable => "The database cannot be reached: check that it runs and that the address and the network let it be reached.",
        Unavailability.AuthenticationFailed => "The database refused the user or the password: correct them in the address; special characters in a password are written %40 for @, %3A for :, %2F for /.",
        Unavailability.DatabaseMissing => "The server has no database of that name: create it, or correct the name.",
        Unavailability.TimedOut => "The database did not answer in time: `catalog-migrations doctor` says what runs there and who waits for whom.",
        Unavailability.Contended => "Another transaction was in the way and went first.",
        Unavailability.OutOfResources => "The database is out of disk, memory or connections: `catalog-migrations doctor` says which limit the pools meet.",
        Unavailability.ReadOnly => "The database takes no writes: it is a standby, or its file may not be written.",
        Unavailability.TlsFailed => "No secure connection to the database came about: check that it takes TLS, the certificate, and sslmode.",
        Unavailability.NotPermitted => "The database role may not use the Catalog's tables, or may not be assumed any more: run `catalog-migrations grant`.",
        Unavailability.NotIsolated => "Row-level security is required (DATAXPIPE_REQUIRE_RLS) and does not hold: `catalog-migrations doctor` says why.",
        Unavailability.FileUnusable => "The SQLite file cannot be opened: check that its folder exists and that this user may write there.",
        Unavailability.NotADatabase => "The file is not a SQLite database, or is damaged: name another file, or restore it.",
        Unavailability.SessionRefused => "The server refuses the session: correct the options in the address; the log holds the server's words.",
        Unavailability.PoolerInBetween =>
            "A pooler in transaction mode stands before the database: set DATAXPIPE_PGBOUNCER=true, or name the server's own address.",
        _ => "A table or column is missing: `catalog-migrations current` says whether the schema is behind, `catalog-migrations verify` what differs.",
    };

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
