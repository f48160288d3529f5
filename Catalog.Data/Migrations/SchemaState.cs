using System.Data.Common;
using Catalog.Data.Database;

namespace Catalog.Data.Migrations;

/// <summary>Whether a database is fit for this build.</summary>
/// <param name="Ready">True when every script that this build needs was applied; newer ones may have been, they only add.</param>
/// <param name="Head">The newest applied script without its ending, null when there is none.</param>
/// <param name="Reason">Why not, in words for an operator; null when ready.</param>
public sealed record SchemaState(bool Ready, string? Head, string? Reason)
{
    /// <summary>The reason for the operator's own log, with host and user; null when there is no more to say.</summary>
    public string? Cause { get; init; }
}

/// <summary>
/// Looks at a database from beside the requests: whether it has the schema that this build was made for, and whether what readers
/// and writers need would succeed.
/// </summary>
/// <param name="source">Connections that requests do not use.</param>
/// <param name="dialect">The engine's.</param>
/// <param name="failures">Tells why the database cannot be used.</param>
/// <param name="before">What goes before the statements of requests, which sets their role and context; null: nothing.</param>
/// <param name="explain">Says of a failure what belongs into a log only; null: nobody does.</param>
public sealed class SchemaProbe(
    DbDataSource source, SchemaDialect dialect, Dialect failures, Func<CancellationToken, ValueTask<string?>>? before = null, Func<Exception, string?>? explain = null)
    : IAsyncDisposable
{
    private readonly IReadOnlyList<string> _needed = [.. Chain.BuiltIn(dialect.Folder).Scripts.Select(script => script.Name)];

    /// <summary>Asks the database. Never throws for a database that cannot answer: that is what it reports.</summary>
    public async Task<SchemaState> Look(CancellationToken ct)
    {
        var opened = false;
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            opened = true;
            var applied = await Applied(connection, ct);
            var head = Path.GetFileNameWithoutExtension(applied.Select(row => row.ScriptName).Max(StringComparer.Ordinal));
            var pending = _needed.Except(applied.Select(row => row.ScriptName), StringComparer.Ordinal).ToList();
            if (pending.Count > 0)
            {
                return new(false, head, $"The schema is behind: {string.Join(", ", pending.Select(Path.GetFileNameWithoutExtension))} not applied. "
                    + "Run `catalog-migrations upgrade head`.");
            }

            await dialect.TryOut(connection, before is null ? null : await before(ct), ct);
            return new(true, head, null);
        }
        catch (MigrationException unreadable)
        {
            return new(false, null, unreadable.Message);
        }
        catch (DatabaseUnavailableException unavailable)
        {
            return new(false, null, Words(unavailable.Reason)) { Cause = unavailable.InnerException is { } inner ? explain?.Invoke(inner) : null };
        }
        catch (Exception exception) when (failures.WhyUnavailable(exception) is { } reason)
        {
            return new(false, null, Words(reason)) { Cause = explain?.Invoke(exception) };
        }
        catch (DbException refusal) when (!opened)
        {
            return new(false, null, Words(Unavailability.SessionRefused)) { Cause = explain?.Invoke(refusal) };
        }
    }

    private async Task<List<AppliedScript>> Applied(DbConnection connection, CancellationToken ct)
    {
        await using var reading = await dialect.Reading(connection, ct);
        return await Journal.Read(connection, reading, dialect, ct);
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
    public ValueTask DisposeAsync() => source.DisposeAsync();
}
