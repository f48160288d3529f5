using System.Data.Common;
using Catalog.Data.Migrations.Engine;

namespace Catalog.Data.Migrations;

/// <summary>A progress report of the migrator.</summary>
/// <param name="Revision">The current script; empty while this migrator waits for another migrator.</param>
/// <param name="Description">The action: <c>applying</c>, <c>applied</c>, <c>undoing</c>, <c>undone</c>, or a sentence.</param>
/// <param name="Rows">The number of rows that the finished script changed.</param>
/// <param name="Seconds">The duration of the script in seconds; null until the script is finished.</param>
public sealed record MigrationStep(string Revision, string Description, long Rows = 0, double? Seconds = null);

/// <summary>
/// Upgrades and downgrades a database schema along a chain of scripts. DbUp executes each script and writes its journal
/// row in one transaction (<see cref="ScriptRun"/>). This class plans the steps and holds the lock.
/// </summary>
public sealed class Migrator
{
    private readonly MigrationDatabase _database;
    private readonly Chain _chain;
    private readonly TimeProvider _time;
    private readonly SchemaDialect _dialect;
    private readonly MigrationLimits _limits;
    private readonly MigratorLock _lock;

    /// <param name="database">The database to migrate.</param>
    /// <param name="chain">The scripts.</param>
    /// <param name="time">The clock for journal times.</param>
    /// <param name="limits">Time limits; null for the defaults.</param>
    public Migrator(MigrationDatabase database, Chain chain, TimeProvider time, MigrationLimits? limits = null)
    {
        (_database, _chain, _time, _dialect, _limits) = (database, chain, time, database.Dialect, limits ?? new());
        _lock = new(database, chain, _limits, step => Progress?.Invoke(step));
    }

    /// <summary>Called for each step; null to disable.</summary>
    public Action<MigrationStep>? Progress { get; init; }

    /// <summary>
    /// The role for the service's statements; null for none. If the role exists, it gets the needed rights after an
    /// upgrade.
    /// </summary>
    public string? AppRole { get; init; }

    /// <summary>Reads the migration status. Takes no lock and writes nothing.</summary>
    public Task<SchemaStatus> ReadStatus(CancellationToken ct) =>
        Read(connection => SchemaStatus.Read(connection, _dialect, _chain, ct), ct);

    /// <summary>Applies pending scripts up to a target.</summary>
    /// <param name="target">See <see cref="Chain.Position(string, int)"/>.</param>
    /// <param name="again">
    /// Repeats a script that ran without a transaction and was interrupted in an unknown state.
    /// </param>
    /// <param name="ct">Cancels between scripts or during one; the transaction of that script is rolled back.</param>
    /// <returns>The finished steps in order; empty when nothing was pending.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public Task<List<MigrationStep>> Upgrade(string target, bool again, CancellationToken ct) => _lock.Run(async (connection, status) =>
    {
        if (status.Applied.Count == 0 && !await _lock.HasJournal(connection, ct)
            && await _lock.Tables(connection, ct) is { Count: > 0 } tables
            // SQLite has no lock, so another migrator may have created tables and journal in the meantime.
            && !await _lock.HasJournal(connection, ct))
        {
            throw new MigrationException(MigrationFault.NotEmpty,
                $"The database has tables ({Quantity.Few(tables)}) but no migration journal. Name another database; "
                + "or, if the tables are the Catalog's, run `catalog-migrations stamp REVISION` with their revision; "
                + "or, if they belong to another program and may stay, run `catalog-migrations stamp base`.");
        }

        var to = _chain.Position(target, status.Position);
        if (to < status.Position)
        {
            throw new MigrationException(MigrationFault.UnknownTarget,
                $"The database is at {status.Current}, beyond {_chain.RevisionAt(to)}. To go back: `catalog-migrations downgrade "
                    + $"{_chain.RevisionAt(to)}`.");
        }

        var steps = await ApplyAll(connection, [.. _chain.Scripts.Take(status.Position..to)], Directions.Upgrade, status, again, ct);
        if (AppRole is not null && _dialect.GrantSql(AppRole, SchemaDescription.Tables(_chain)) is { } grant)
        {
            await _dialect.ResetSession(connection, _limits, ct);
            await _dialect.Execute(connection, null, grant, ct);
        }

        return steps;
    }, ct);

    /// <summary>Reverts applied scripts, newest first, with the scripts in <c>down/</c>.</summary>
    /// <param name="target">The revision after the downgrade: see <see cref="Chain.Position(string, int)"/>.</param>
    /// <param name="again">
    /// Repeats a script that ran without a transaction and was interrupted in an unknown state.
    /// </param>
    /// <param name="ct">Cancels between scripts or during one; the transaction of that script is rolled back.</param>
    /// <returns>The finished steps in order.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public Task<List<MigrationStep>> Downgrade(string target, bool again, CancellationToken ct) => _lock.Run(
        (connection, status) => ApplyAll(connection, ScriptsToRevert(target, status), Directions.Downgrade, status, again, ct), ct);

    /// <summary>The scripts that a downgrade would revert, newest first.</summary>
    /// <exception cref="MigrationException">The target is unknown or newer than the database, or a script has no down script.</exception>
    public IReadOnlyList<Script> ScriptsToRevert(string target, SchemaStatus status)
    {
        var to = _chain.Position(target, status.Position);
        if (to > status.Position)
        {
            throw new MigrationException(MigrationFault.UnknownTarget,
                $"The database is at {status.Current}, before {_chain.RevisionAt(to)}. To go forward: `catalog-migrations upgrade "
                    + $"{_chain.RevisionAt(to)}`.");
        }

        List<Script> undo = [.. _chain.Scripts.Take(to..status.Position).Reverse()];
        return undo.FirstOrDefault(script => script.Down is null) is { } oneWay
            ? throw new MigrationException(MigrationFault.UnknownTarget,
                $"{oneWay.Revision} cannot be reverted: down/{oneWay.Name} does not exist. Restore a backup instead.")
            : undo;
    }

    /// <summary>Rewrites the journal as if exactly the scripts up to a target were applied. Runs no script.</summary>
    /// <param name="target">See <see cref="Chain.Position(string, int)"/>.</param>
    /// <param name="force">
    /// Skips the check that the live schema matches the revision, and deletes journal rows of scripts that this build
    /// does not know.
    /// </param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The new current revision.</returns>
    /// <exception cref="MigrationException">The target is unknown, or the live schema does not match it.</exception>
    public Task<string> Stamp(string target, bool force, CancellationToken ct) =>
        new SchemaStamp(_lock, _database, _chain, _time).Write(target, force, ct);

    /// <summary>Drops all objects of the scripts, in any state, with all their data. The history of attempts is kept.</summary>
    /// <param name="force">
    /// Also drops dependent objects of other programs. Skips the check of the journal, which may be missing or contain
    /// unknown scripts.
    /// </param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The names of the dropped objects.</returns>
    /// <exception cref="MigrationException">The tables may belong to another program.</exception>
    public Task<IReadOnlyList<string>> Clear(bool force, CancellationToken ct) =>
        new SchemaReset(_lock, _dialect, _chain, _time).Clear(force, ct);

    /// <summary>The live schema, one line per object, sorted.</summary>
    public Task<IReadOnlyList<string>> Describe(CancellationToken ct) => Read<IReadOnlyList<string>>(
        async connection => [.. (await _database.Reader.Describe(connection, ct)).Order(StringComparer.Ordinal)], ct);

    /// <summary>The invalid indexes that an interrupted concurrent build left.</summary>
    public Task<List<string>> InvalidIndexes(CancellationToken ct) =>
        Read(connection => _database.Reader.InvalidIndexes(connection, ct), ct);

    /// <summary>The database name, for the confirmation of destructive commands.</summary>
    public Task<string> DatabaseName(CancellationToken ct) => Read(connection => _database.Reader.DatabaseName(connection, ct), ct);

    /// <summary>
    /// Runs an operation while it holds the migration lock, so that no migrator can run. On SQLite migrators can run.
    /// </summary>
    /// <param name="work">The operation; its argument is the connection that holds the lock.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <exception cref="MigrationException">The lock was not obtained, or the database cannot be migrated.</exception>
    public Task<T> RunExclusive<T>(Func<DbConnection, Task<T>> work, CancellationToken ct) =>
        _lock.Run((connection, _) => work(connection), ct, rejectFaults: false);

    /// <summary>Runs an operation on the connection that holds the lock. The journal must have no faults.</summary>
    internal Task<T> RunLocked<T>(Func<DbConnection, SchemaStatus, Task<T>> work, CancellationToken ct) => _lock.Run(work, ct);

    private async Task<T> Read<T>(Func<DbConnection, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await _database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.BeginRead(connection, ct);
        return await work(connection);
    }

    private async Task<List<MigrationStep>> ApplyAll(
        DbConnection connection, IReadOnlyList<Script> scripts, string direction, SchemaStatus status, bool again, CancellationToken ct)
    {
        // All scripts are checked before the first script runs. Otherwise the scripts before an invalid script would
        // already be applied.
        foreach (var script in scripts)
        {
            (direction == Directions.Upgrade ? script.Up : script.Down!).RefuseTransactionControl();
        }

        await _lock.CreateJournal(connection, ct);
        var runner = new ScriptRunner(_database, connection, _chain, _limits, step => Progress?.Invoke(step));
        var steps = new List<MigrationStep>();
        foreach (var script in scripts)
        {
            var step = new ScriptStep(script, direction, _time);
            var halfApplied = SchemaStatus.IsHalfApplied(script, applied: !step.IsUpgrade, status.Attempts);
            if (await runner.Apply(step, halfApplied, again, ct) is { } done)
            {
                steps.Add(done);
            }
        }

        return steps;
    }
}
