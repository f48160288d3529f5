using System.Data.Common;
using System.Diagnostics;
using System.Reflection;
using Catalog.Data.Database;
using Dapper;

namespace Catalog.Data.Migrations;

/// <summary>A migration that could not be carried out. The message says what to do and holds no secret.</summary>
public sealed class MigrationException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Brings a database's schema to the head that this build knows, one transaction for each script and its journal row.</summary>
public sealed class Migrator(DbDataSource source, SchemaDialect dialect, TimeProvider time)
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromMinutes(1);

    /// <summary>Every script that this build holds for the engine, in order.</summary>
    public IReadOnlyList<Script> Scripts { get; } = Script.In(dialect.Folder);

    /// <summary>The scripts that the database has had, in the order of their names.</summary>
    public async Task<List<AppliedScript>> History(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await Journal.Read(connection, dialect, ct);
    }

    /// <summary>Applies what is pending.</summary>
    /// <param name="applied">Told of each script when it is committed, with its seconds.</param>
    /// <param name="ct">Stops between scripts and within one, whose transaction is then undone.</param>
    /// <returns>How many scripts were applied; 0 when the database was at head.</returns>
    /// <exception cref="MigrationException">An applied script was changed, the journal is newer than this build, or a script failed.</exception>
    public async Task<int> Upgrade(Action<Script, double> applied, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var held = await dialect.Lock(connection, LockPatience, ct)
            ?? throw new MigrationException("Another migrator holds the lock. Wait for it to finish, then run this again.");
        await connection.ExecuteAsync(new CommandDefinition(dialect.CreateJournal, cancellationToken: ct));

        var count = 0;
        foreach (var script in Scripts)
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            // Read again inside the transaction: on SQLite it is the lock.
            var known = (await Journal.Read(connection, dialect, ct)).ToDictionary(row => row.ScriptName, StringComparer.Ordinal);
            Refuse(known);
            if (known.ContainsKey(script.Name))
            {
                continue;
            }

            var seconds = await Apply(connection, transaction, script, ct);
            applied(script, seconds);
            count++;
        }

        return count;
    }

    // A container may have no list of users at all.
    private static string? WhoRuns()
    {
        try
        {
            return Environment.UserName;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Refuse(Dictionary<string, AppliedScript> known)
    {
        var unknown = known.Keys.Except(Scripts.Select(script => script.Name), StringComparer.Ordinal).Order(StringComparer.Ordinal).FirstOrDefault();
        if (unknown is not null)
        {
            throw new MigrationException($"The database has had {unknown}, which this build does not know. Use the build that brought it, or a newer one.");
        }

        if (Scripts.FirstOrDefault(script => known.TryGetValue(script.Name, out var row) && row.Checksum is { } sum && sum != script.Checksum) is { } changed)
        {
            throw new MigrationException($"{changed.Name} was changed after it was applied. Restore its text and put the change into a new script.");
        }
    }

    private async Task<double> Apply(DbConnection connection, DbTransaction transaction, Script script, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            await connection.ExecuteAsync(new CommandDefinition(script.Sql, transaction: transaction, cancellationToken: ct));
            await Journal.Add(connection, transaction, new AppliedScript
            {
                ScriptName = script.Name,
                Applied = time.Now(),
                Checksum = script.Checksum,
                DurationSeconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
                AppliedBy = WhoRuns(),
                ToolVersion = typeof(Migrator).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            }, ct);
            await transaction.CommitAsync(ct);
            return clock.Elapsed.TotalSeconds;
        }
        catch (DbException exception)
        {
            throw new MigrationException($"{script.Name} failed and was undone: {exception.Message}", exception);
        }
    }
}
