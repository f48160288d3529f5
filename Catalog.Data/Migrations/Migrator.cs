using System.Data.Common;
using Catalog.Data.Migrations.Engine;

namespace Catalog.Data.Migrations;

/// <summary>What the migrator is doing, for whoever watches.</summary>
/// <param name="Revision">The script at hand; empty while another migrator is waited for.</param>
/// <param name="Words">What happens: <c>applying</c>, <c>applied</c>, <c>undoing</c>, <c>undone</c>, or a sentence.</param>
/// <param name="Rows">The rows that the script changed, once it is done.</param>
/// <param name="Seconds">How long it took, once it is done; null before.</param>
public sealed record MigrationStep(string Revision, string Words, long Rows = 0, double? Seconds = null);

/// <summary>
/// Moves a database's schema along a chain of scripts. DbUp executes them, one transaction for each script and its journal row
/// (<see cref="ScriptRun"/>); the plan, the lock, the retries and the history are here.
/// </summary>
public sealed class Migrator
{
    private readonly MigrationDatabase _database;
    private readonly Chain _chain;
    private readonly TimeProvider _time;
    private readonly SchemaDialect _dialect;
    private readonly MigrationLimits _limits;
    private readonly MigratorLock _locked;

    /// <param name="database">Whose schema it is.</param>
    /// <param name="chain">The scripts.</param>
    /// <param name="time">What the journal takes for the present.</param>
    /// <param name="limits">How patient to be; null: the defaults.</param>
    public Migrator(MigrationDatabase database, Chain chain, TimeProvider time, MigrationLimits? limits = null)
    {
        (_database, _chain, _time, _dialect, _limits) = (database, chain, time, database.Dialect, limits ?? new());
        _locked = new(database, chain, _limits, step => Progress?.Invoke(step));
    }

    /// <summary>Is called for each step; null: nobody watches.</summary>
    public Action<MigrationStep>? Progress { get; init; }

    /// <summary>The role that the service's statements run as: after an upgrade it is given what it needs, when it exists.</summary>
    public string? AppRole { get; init; }

    /// <summary>Where the database stands. Takes no lock and writes nothing.</summary>
    public Task<SchemaStatus> Look(CancellationToken ct) => Read(connection => SchemaStatus.Read(connection, _dialect, _chain, ct), ct);

    /// <summary>Applies what is pending up to a target.</summary>
    /// <param name="target">See <see cref="Chain.Place(string, int)"/>.</param>
    /// <param name="again">Runs a script without a transaction again whose state cannot be told.</param>
    /// <param name="ct">Stops between scripts and within one, whose transaction is then undone.</param>
    /// <returns>The steps that were done, in order; empty when there was nothing to do.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public Task<List<MigrationStep>> Upgrade(string target, bool again, CancellationToken ct) => _locked.Run(async (connection, standing) =>
    {
        if (standing.Applied.Count == 0 && !await _locked.HasJournal(connection, ct)
            && await _locked.Tables(connection, ct) is { Count: > 0 } tables
            // On SQLite another migrator may have made all of it since.
            && !await _locked.HasJournal(connection, ct))
        {
            throw new MigrationException(MigrationFault.NotEmpty,
                $"The database holds tables ({Quantity.Few(tables)}) and no journal of migrations. Name another database; "
                + "or, if they are the Catalog's, `catalog-migrations stamp REVISION` with the revision they are at; "
                + "or, if they are not and may stay, `catalog-migrations stamp base`.");
        }

        var to = _chain.Place(target, standing.Place);
        if (to < standing.Place)
        {
            throw new MigrationException(MigrationFault.UnknownTarget,
                $"The database is at {standing.Current}, beyond {_chain.Name(to)}. To go back: `catalog-migrations downgrade {_chain.Name(to)}`.");
        }

        var steps = await ApplyAll(connection, [.. _chain.Scripts.Take(standing.Place..to)], Directions.Upgrade, standing, again, ct);
        if (AppRole is not null && _dialect.Grant(AppRole, SchemaDescription.Tables(_chain)) is { } grant)
        {
            await _dialect.Settle(connection, _limits, ct);
            await _dialect.Execute(connection, null, grant, ct);
        }

        return steps;
    }, ct);

    /// <summary>Reverts applied scripts, newest first, by their way back in <c>down/</c>.</summary>
    /// <param name="target">The revision that is left: see <see cref="Chain.Place(string, int)"/>.</param>
    /// <param name="again">Runs a script without a transaction again whose state cannot be told.</param>
    /// <param name="ct">Stops between scripts and within one, whose transaction is then undone.</param>
    /// <returns>The steps that were done, in order.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public Task<List<MigrationStep>> Downgrade(string target, bool again, CancellationToken ct) => _locked.Run(
        (connection, standing) => ApplyAll(connection, Undone(target, standing), Directions.Downgrade, standing, again, ct), ct);

    /// <summary>The scripts that a downgrade would revert, newest first.</summary>
    /// <exception cref="MigrationException">The target is unknown or lies ahead, or a script has no way back.</exception>
    public IReadOnlyList<Script> Undone(string target, SchemaStatus standing)
    {
        var to = _chain.Place(target, standing.Place);
        if (to > standing.Place)
        {
            throw new MigrationException(MigrationFault.UnknownTarget,
                $"The database is at {standing.Current}, before {_chain.Name(to)}. To go forward: `catalog-migrations upgrade {_chain.Name(to)}`.");
        }

        List<Script> undo = [.. _chain.Scripts.Take(to..standing.Place).Reverse()];
        return undo.FirstOrDefault(script => script.Down is null) is { } oneWay
            ? throw new MigrationException(MigrationFault.UnknownTarget,
                $"{oneWay.Revision} has no way back: there is no down/{oneWay.Name}. Restore a backup instead.")
            : undo;
    }

    /// <summary>Writes the journal as if every script up to a target had been applied and none after it, and runs none.</summary>
    /// <param name="target">See <see cref="Chain.Place(string, int)"/>.</param>
    /// <param name="force">
    /// Also when the live schema is not the one of that revision, and when the journal names scripts that this build does not know:
    /// they are forgotten.
    /// </param>
    /// <param name="ct">Stops.</param>
    /// <returns>The revision that the journal names now.</returns>
    /// <exception cref="MigrationException">The target is unknown, or the live schema is another one.</exception>
    public Task<string> Stamp(string target, bool force, CancellationToken ct) =>
        new SchemaStamp(_locked, _database, _chain, _time).Write(target, force, ct);

    /// <summary>Drops everything that the scripts made, whatever state it is in, and with it all data. The history of attempts stays.</summary>
    /// <param name="force">
    /// Also what other people have made depend on it, and also where the journal is missing or names scripts that this build does not know.
    /// </param>
    /// <param name="ct">Stops.</param>
    /// <returns>What was dropped.</returns>
    /// <exception cref="MigrationException">The tables may be another program's.</exception>
    public Task<IReadOnlyList<string>> Clear(bool force, CancellationToken ct) =>
        new SchemaReset(_locked, _dialect, _chain, _time).Clear(force, ct);

    /// <summary>The live schema, a line for each of its parts, sorted.</summary>
    public Task<IReadOnlyList<string>> Describe(CancellationToken ct) => Read<IReadOnlyList<string>>(
        async connection => [.. (await _database.Reader.Describe(connection, ct)).Order(StringComparer.Ordinal)], ct);

    /// <summary>The indexes that an interrupted build left unusable.</summary>
    public Task<List<string>> InvalidIndexes(CancellationToken ct) => Read(connection => _database.Reader.InvalidIndexes(connection, ct), ct);

    /// <summary>The database's name, as a destructive verb asks for it.</summary>
    public Task<string> DatabaseName(CancellationToken ct) => Read(connection => _database.Reader.DatabaseName(connection, ct), ct);

    /// <summary>Does something while no migrator can be at work; on SQLite nothing is held off.</summary>
    /// <param name="work">Is given the connection that holds the lock.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="MigrationException">The lock was not obtained, or this is no database to migrate.</exception>
    public Task<T> Alone<T>(Func<DbConnection, Task<T>> work, CancellationToken ct) =>
        _locked.Run((connection, _) => work(connection), ct, refuse: false);

    /// <summary>Does a work on a database whose journal has no fault, on the connection that holds the lock.</summary>
    internal Task<T> Locked<T>(Func<DbConnection, SchemaStatus, Task<T>> work, CancellationToken ct) => _locked.Run(work, ct);

    private async Task<T> Read<T>(Func<DbConnection, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await _database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.Reading(connection, ct);
        return await work(connection);
    }

    private async Task<List<MigrationStep>> ApplyAll(
        DbConnection connection, IReadOnlyList<Script> scripts, string direction, SchemaStatus standing, bool again, CancellationToken ct)
    {
        // Before anything is run: otherwise half of them would be applied before the one that ends the transaction.
        foreach (var script in scripts)
        {
            (direction == Directions.Upgrade ? script.Up : script.Down!).RefuseTransactionControl();
        }

        await _locked.MakeJournal(connection, ct);
        var runner = new ScriptRunner(_database, connection, _chain, _limits, step => Progress?.Invoke(step));
        var steps = new List<MigrationStep>();
        foreach (var script in scripts)
        {
            var step = new ScriptStep(script, direction, _time);
            var halfApplied = SchemaStatus.IsHalfApplied(script, applied: !step.IsUpgrade, standing.Attempts);
            if (await runner.Apply(step, halfApplied, again, ct) is { } done)
            {
                steps.Add(done);
            }
        }

        return steps;
    }
}
