using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Database;
using Catalog.Data.Database.Examination;
using Dapper;

namespace Catalog.Data.Migrations;

/// <summary>What the migrator is doing, for whoever watches.</summary>
/// <param name="Revision">The script at hand; empty while another migrator is waited for.</param>
/// <param name="Words">What happens: <c>applying</c>, <c>applied</c>, <c>undoing</c>, <c>undone</c>, or a sentence.</param>
/// <param name="Rows">The rows that the script changed, once it is done.</param>
/// <param name="Seconds">How long it took, once it is done; null before.</param>
public sealed record MigrationStep(string Revision, string Words, long Rows = 0, double? Seconds = null);

/// <summary>Moves a database's schema along a chain of scripts, one transaction for each script and its journal row.</summary>
public sealed class Migrator(MigrationDatabase database, Chain chain, TimeProvider time, MigrationLimits? limits = null)
{
    private static readonly string[] ChangesRows = ["insert", "update", "delete", "merge", "with"];
    private readonly SchemaDialect _dialect = database.Dialect;
    private readonly MigrationLimits _limits = limits ?? new();

    /// <summary>Told of what happens; null: nobody is.</summary>
    public Action<MigrationStep>? Progress { get; init; }

    /// <summary>The role that the service's statements run as: after an upgrade it is given what it needs, when it exists.</summary>
    public string? AppRole { get; init; }

    /// <summary>Where the database stands. Takes no lock and writes nothing.</summary>
    public async Task<Standing> Look(CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.Reading(connection, ct);
        return await Standing.Read(connection, _dialect, chain, ct);
    }

    /// <summary>Applies what is pending up to a target.</summary>
    /// <param name="target">See <see cref="Chain.Place(string, int)"/>.</param>
    /// <param name="again">Runs a script without a transaction again whose state cannot be told.</param>
    /// <param name="ct">Stops between scripts and within one, whose transaction is then undone.</param>
    /// <returns>The steps that were done, in order; empty when there was nothing to do.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public Task<List<MigrationStep>> Upgrade(string target, bool again, CancellationToken ct) => Locked(async (connection, standing) =>
    {
        if (standing.Applied.Count == 0 && !await HasJournal(connection, ct)
            && await Tables(connection, ct) is { Count: > 0 } tables
            // On SQLite another migrator may have made all of it since.
            && !await HasJournal(connection, ct))
        {
            throw new MigrationException(MigrationFault.NotEmpty,
                $"The database holds tables ({Quantity.Few(tables)}) and no journal of migrations. Name another database; "
                + "or, if they are the Catalog's, `catalog-migrations stamp REVISION` with the revision they are at; or, if they are not and may stay, `catalog-migrations stamp base`.");
        }

        var to = chain.Place(target, standing.Place);
        if (to < standing.Place)
        {
            throw new MigrationException(MigrationFault.UnknownTarget, $"The database is at {standing.Current}, beyond {chain.Name(to)}. To go back: `catalog-migrations downgrade {chain.Name(to)}`.");
        }

        Refuse(chain.Scripts.Take(standing.Place..to).Select(script => script.Up));
        await MakeJournal(connection, ct);
        var steps = new List<MigrationStep>();
        foreach (var script in chain.Scripts.Take(standing.Place..to))
        {
            if (await Apply(connection, script, Directions.Upgrade, Standing.IsHalfApplied(script, applied: false, standing.Attempts), again, ct) is { } step)
            {
                steps.Add(step);
            }
        }

        if (AppRole is not null && _dialect.Grant(AppRole) is { } grant)
        {
            await _dialect.Settle(connection, _limits, ct);
            await _dialect.Execute(connection, null, grant, ct);
        }

        return steps;
    }, ct);

    /// <summary>Takes scripts back, newest first, by their way back in <c>down/</c>.</summary>
    /// <param name="target">The revision that is left: see <see cref="Chain.Place(string, int)"/>.</param>
    /// <param name="again">Runs a script without a transaction again whose state cannot be told.</param>
    /// <param name="ct">Stops between scripts and within one, whose transaction is then undone.</param>
    /// <returns>The steps that were done, in order.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public Task<List<MigrationStep>> Downgrade(string target, bool again, CancellationToken ct) => Locked(async (connection, standing) =>
    {
        var undo = Undone(target, standing);
        Refuse(undo.Select(script => script.Down!));
        await MakeJournal(connection, ct);
        var steps = new List<MigrationStep>();
        foreach (var script in undo)
        {
            if (await Apply(connection, script, Directions.Downgrade, Standing.IsHalfApplied(script, applied: true, standing.Attempts), again, ct) is { } step)
            {
                steps.Add(step);
            }
        }

        return steps;
    }, ct);

    /// <summary>The scripts that a downgrade would take back, newest first.</summary>
    /// <exception cref="MigrationException">The target is unknown or lies ahead, or a script has no way back.</exception>
    public IReadOnlyList<Script> Undone(string target, Standing standing)
    {
        var to = chain.Place(target, standing.Place);
        if (to > standing.Place)
        {
            throw new MigrationException(MigrationFault.UnknownTarget, $"The database is at {standing.Current}, before {chain.Name(to)}. To go forward: `catalog-migrations upgrade {chain.Name(to)}`.");
        }

        List<Script> undo = [.. chain.Scripts.Take(to..standing.Place).Reverse()];
        return undo.FirstOrDefault(script => script.Down is null) is { } oneWay
            ? throw new MigrationException(MigrationFault.UnknownTarget, $"{oneWay.Revision} has no way back: there is no down/{oneWay.Name}. Restore a backup instead.")
            : undo;
    }

    /// <summary>Writes the journal as if every script up to a target had been applied and none after it, and runs none.</summary>
    /// <param name="target">See <see cref="Chain.Place(string, int)"/>.</param>
    /// <param name="force">Also when the live schema is not the one of that revision, and when the journal names scripts that this build does not know: they are forgotten.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>The revision that the journal names now.</returns>
    /// <exception cref="MigrationException">The target is unknown, or the live schema is another one.</exception>
    public Task<string> Stamp(string target, bool force, CancellationToken ct) => Locked(async (connection, standing) =>
    {
        var to = chain.Place(target, standing.Place);
        if (!force && Strangers(standing) is { } strangers)
        {
            throw new MigrationException(strangers.Fault, $"{strangers.Message} If the journal is the Catalog's all the same, --force forgets what this build does not know.");
        }

        // Nothing is known of a database at base but that it holds nothing of ours.
        if (!force && to > 0 && chain.Scripts[to - 1].Fingerprint is { } fingerprint
            && SchemaDescription.Compare(fingerprint, await _dialect.Describe(connection, ct)) is { Count: > 0 } differences)
        {
            throw new MigrationException(MigrationFault.Drift,
                $"The live schema is not that of {chain.Name(to)}: {string.Join("; ", differences.Take(5))}{(differences.Count > 5 ? $"; and {differences.Count - 5} more" : "")}. "
                + "Name the revision it is at, mend it, or add --force.");
        }

        await MakeJournal(connection, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Journal.Clear(connection, transaction, ct);
        foreach (var script in chain.Scripts.Take(to))
        {
            var row = standing.Applied.FirstOrDefault(row => row.ScriptName == script.Name)
                ?? new AppliedScript { ScriptName = script.Name, Applied = time.Now(), AppliedBy = Journal.WhoRuns(), ToolVersion = Journal.ToolVersion };
            await Journal.Add(connection, transaction, row with { Checksum = script.Checksum }, ct);
        }

        await Journal.Write(connection, transaction, Attempt(to == 0 ? Chain.Base : chain.Scripts[to - 1].Name, Directions.Stamp, Outcomes.Finished), ct);
        await transaction.CommitAsync(ct);
        return chain.Name(to);
    }, ct, refuse: false);

    /// <summary>Takes away everything that the scripts made, whatever state it is in, and with it all data. The history of attempts stays.</summary>
    /// <param name="force">Also what other people have hung on it, and also where the journal is missing or names scripts that this build does not know.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>What was taken away.</returns>
    /// <exception cref="MigrationException">The tables may be somebody else's.</exception>
    public Task<IReadOnlyList<string>> Clear(bool force, CancellationToken ct) => Locked(async (connection, standing) =>
    {
        if (!force && Strangers(standing) is { } strangers)
        {
            throw new MigrationException(strangers.Fault, $"{strangers.Message} The tables may be another program's; if they are not, --force takes them away.");
        }

        if (!force && !await HasJournal(connection, ct) && await Tables(connection, ct) is { Count: > 0 } tables)
        {
            throw new MigrationException(MigrationFault.NotEmpty, $"There is no journal, so these tables may be another program's: {Quantity.Few(tables)}. If they are not, --force takes away those that carry the names of the Catalog's.");
        }

        await MakeJournal(connection, ct);
        var objects = SchemaDescription.Made(chain);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await _dialect.Drop(connection, transaction, objects, force, ct);
        }
        catch (DbException exception) when (connection.State == ConnectionState.Open && _dialect.Explain(exception) is var said)
        {
            throw new MigrationException(MigrationFault.ScriptFailed, $"Nothing was taken away: {said.Message}. --force takes away what depends on the Catalog's tables too.", exception);
        }

        await Journal.Clear(connection, transaction, ct);
        await Journal.Write(connection, transaction, Attempt(Chain.Base, Directions.Reset, Outcomes.Finished), ct);
        await transaction.CommitAsync(ct);
        return (IReadOnlyList<string>)[.. objects.Select(made => made.Name)];
    }, ct, refuse: false);

    /// <summary>The live schema, a line for each of its parts, sorted.</summary>
    public async Task<IReadOnlyList<string>> Describe(CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.Reading(connection, ct);
        return [.. (await _dialect.Describe(connection, ct)).Order(StringComparer.Ordinal)];
    }

    /// <summary>The indexes that an interrupted build left unusable.</summary>
    public async Task<IReadOnlyList<string>> InvalidIndexes(CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.Reading(connection, ct);
        return await _dialect.InvalidIndexes(connection, ct);
    }

    /// <summary>The database's name, as a destructive verb asks for it.</summary>
    public async Task<string> DatabaseName(CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        return await _dialect.DatabaseName(connection, ct);
    }

    /// <summary>Does something while no migrator can be at work; on SQLite nothing is held off.</summary>
    /// <param name="work">Is handed the connection that holds the lock.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="MigrationException">The lock was not obtained, or this is no database to migrate.</exception>
    public Task<T> Alone<T>(Func<DbConnection, Task<T>> work, CancellationToken ct) => Locked((connection, _) => work(connection), ct, refuse: false);

    /// <summary>Does a work on the database that no other migrator may disturb, on the connection that holds the lock.</summary>
    internal async Task<T> Locked<T>(Func<DbConnection, Standing, Task<T>> work, CancellationToken ct, bool refuse = true)
    {
        await using var connection = await Patiently(() => database.Source.OpenConnectionAsync(ct).AsTask(), ct);
        await _dialect.Begin(connection, stop => database.Source.OpenConnectionAsync(stop), _limits, ct);
        await using var held = await _dialect.Lock(connection, _limits.Patience, holder => Progress?.Invoke(new("", $"waiting for {holder}")), ct)
            ?? throw new MigrationException(MigrationFault.LockNotObtained,
                $"The lock was not obtained in {_limits.Patience.TotalSeconds:0} s; {await _dialect.Holder(connection, ct) ?? "it has just become free"}. Wait for it to finish, or look with `catalog-migrations doctor` and end it with `catalog-migrations kill`.");
        var standing = await Standing.Read(connection, _dialect, chain, ct);
        if (refuse && standing.Faults.Count > 0)
        {
            throw standing.Faults[0];
        }

        return await work(connection, standing);
    }

    private async Task MakeJournal(DbConnection connection, CancellationToken ct) => await Patiently(async () =>
    {
        await _dialect.MakeJournal(connection, ct);
        return true;
    }, ct);

    // On SQLite whatever writes may find the file taken.
    private async Task<T> Patiently<T>(Func<Task<T>> work, CancellationToken ct)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (_dialect.IsLockTimeout(exception))
            {
                if (clock.Elapsed > _limits.Patience)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained, $"The database was locked by others for {_limits.Patience.TotalSeconds:0.###} s. Run this again when they are done.", exception);
                }

                await Task.Delay(200, ct);
            }
        }
    }

    private static MigrationException? Strangers(Standing standing) =>
        standing.Faults.FirstOrDefault(fault => fault.Fault is MigrationFault.NewerSchema or MigrationFault.UnknownRevision);

    private async Task<List<string>> Tables(DbConnection connection, CancellationToken ct) =>
        (await connection.QueryAsync<string>(new CommandDefinition(_dialect.FindTables, cancellationToken: ct))).AsList();

    // Before anything is run: half a chain would be left where one of them ends the runner's transaction.
    private static void Refuse(IEnumerable<SqlFile> files)
    {
        if (files.FirstOrDefault(file => file is { Transactional: true, TransactionControl: not null }) is { } file)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable,
                $"{file.Name} line {file.TransactionControl!.Line}: `{file.TransactionControl.Tokens[0].Text}` would end or begin the runner's own transaction. Take it out: every script runs in one.");
        }
    }

    private async Task<bool> HasJournal(DbConnection connection, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<int?>(new CommandDefinition(_dialect.FindJournal, cancellationToken: ct)) is not null;

    // Null when another migrator has done it meanwhile.
    private async Task<MigrationStep?> Apply(DbConnection connection, Script script, string direction, bool halfApplied, bool again, CancellationToken ct)
    {
        var file = direction == Directions.Upgrade ? script.Up : script.Down!;
        Progress?.Invoke(new(script.Revision, direction == Directions.Upgrade ? "applying" : "undoing"));
        var clock = Stopwatch.StartNew();
        try
        {
            var rows = file.Transactional
                ? await InTransaction(connection, script, file, direction, clock, ct)
                : await WithoutTransaction(connection, script, file, direction, halfApplied, again, clock, ct);
            if (rows is null)
            {
                return null;
            }

            var step = new MigrationStep(script.Revision, direction == Directions.Upgrade ? "applied" : "undone", rows.Value, Math.Round(clock.Elapsed.TotalSeconds, 3));
            Progress?.Invoke(step);
            return step;
        }
        catch (Exception exception) when (exception is not MigrationException { Fault: MigrationFault.HalfApplied })
        {
            await Remember(connection, script, direction, exception, clock);
            throw;
        }
    }

    private async Task<long?> InTransaction(DbConnection connection, Script script, SqlFile file, string direction, Stopwatch clock, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            // First of all, because the script before may have made the session read-only.
            await _dialect.Settle(connection, _limits, ct);
            if (_dialect.Locks)
            {
                await Journal.Write(connection, null, Attempt(script.Name, direction, Outcomes.Started), ct);
            }

            try
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                if ((await Journal.Read(connection, transaction, _dialect, ct)).Any(row => row.ScriptName == script.Name) == (direction == Directions.Upgrade))
                {
                    return null;
                }

                var rows = 0L;
                foreach (var statement in file.Statements)
                {
                    rows += await Execute(connection, transaction, file, statement, ct);
                }

                if (await _dialect.FindBroken(connection, ct) is { } broken)
                {
                    throw new MigrationException(MigrationFault.ScriptFailed, $"{file.Name}: {broken}. The whole script was undone.");
                }

                await Explained(connection, _ => $"{file.Name} could not be committed", "The whole script was undone.", async () =>
                {
                    await Finish(connection, transaction, script, direction, clock, ct);
                    await transaction.CommitAsync(ct);
                    return true;
                });
                return rows;
            }
            catch (Exception exception) when (_dialect.IsLockTimeout(exception.InnerException ?? exception))
            {
                if (attempt >= _limits.Attempts)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained,
                        $"{file.Name} was undone: a table it changes was locked by others for {_limits.LockTimeout.TotalSeconds:0.###} s, {attempt} times. "
                        + "See who with `catalog-migrations doctor`, and run this again when they are done.", exception);
                }

                var wait = TimeSpan.FromMilliseconds(Math.Min(10_000, 250 * Math.Pow(2, attempt)) * (0.5 + Random.Shared.NextDouble()));
                Progress?.Invoke(new(script.Revision, string.Create(CultureInfo.InvariantCulture, $"a table is locked by others; attempt {attempt + 1} of {_limits.Attempts} in {wait.TotalSeconds:0.0} s")));
                await Remember(connection, script, direction, exception, clock);
                await Task.Delay(wait, ct);
            }
        }
    }

    private async Task<long?> WithoutTransaction(
        DbConnection connection, Script script, SqlFile file, string direction, bool halfApplied, bool again, Stopwatch clock, CancellationToken ct)
    {
        var done = halfApplied ? await _dialect.TookEffect(connection, file.Statements[0], ct) : false;
        if (done is null && !again)
        {
            throw new MigrationException(MigrationFault.HalfApplied,
                $"{file.Name} runs without a transaction and was interrupted, and whether it took effect cannot be told. Look: line {file.Statements[0].Line} of it. "
                + $"If it did, `catalog-migrations stamp {(direction == Directions.Upgrade ? script.Revision : chain.Name(chain.Place(script.Revision, 0) - 1))}`; "
                + $"if it did not, `catalog-migrations {direction} --again`.");
        }

        var rows = 0L;
        if (done is not true)
        {
            await _dialect.Settle(connection, _limits, ct);
            await Journal.Write(connection, null, Attempt(script.Name, direction, Outcomes.Started), ct);
            if (file.Statements[0].IsConcurrent)
            {
                await _dialect.WaitForLocks(connection, TimeSpan.Zero, ct);
            }

            rows = await Execute(connection, null, file, file.Statements[0], ct);
            await _dialect.Settle(connection, _limits, ct);
        }

        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Finish(connection, transaction, script, direction, clock, ct);
        await transaction.CommitAsync(ct);
        return rows;
    }

    private async Task<long> Execute(DbConnection connection, DbTransaction? transaction, SqlFile file, SqlStatement statement, CancellationToken ct)
    {
        var rows = await Explained(
            connection,
            position => $"{file.Name} line {statement.Line + (position is { } at ? statement.Sql.AsSpan(0, Math.Clamp(at - 1, 0, statement.Sql.Length)).Count('\n') : 0)}",
            file.Transactional ? "The whole script was undone." : "It runs without a transaction; `catalog-migrations upgrade` finds out what is left of it.",
            () => _dialect.Execute(connection, transaction, statement.Sql, ct));
        // SQLite also counts what it writes into its own tables of definitions.
        return ChangesRows.Any(statement.Tokens[0].Is) ? rows : 0;
    }

    // Turns what the engine says into a sentence with the place, what became of the script, and what to do.
    private async Task<T> Explained<T>(DbConnection connection, Func<int?, string> where, string left, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (DbException exception) when (connection.State != ConnectionState.Open && !_dialect.Explain(exception).Final)
        {
            throw new MigrationException(MigrationFault.ConnectionLost, $"{where(null)}: the connection was lost, by a restart of the server or because somebody ended it. {left} Run this again.", exception);
        }
        catch (DbException exception) when (_dialect.Explain(exception) is var said)
        {
            throw new MigrationException(MigrationFault.ScriptFailed,
                $"{where(said.Position)}: {said.Message}. {left}"
                + (said.AlreadyExists ? " Something that this script makes is there already: look with `catalog-migrations verify`; if all of the script was applied by hand, `catalog-migrations stamp` its revision." : "")
                + (said.NotPermitted ? " Set DATAXPIPE_MIGRATIONS_DB to an address of a role that may, usually the tables' owner." : ""), exception);
        }
        catch (Exception exception) when (exception is NotSupportedException or InvalidOperationException)
        {
            throw new MigrationException(MigrationFault.ScriptFailed, $"{where(null)}: this statement cannot be run by a migration ({exception.Message.TrimEnd('.')}). {left}", exception);
        }
    }

    private async Task Finish(DbConnection connection, DbTransaction transaction, Script script, string direction, Stopwatch clock, CancellationToken ct)
    {
        var seconds = Math.Round(clock.Elapsed.TotalSeconds, 3);
        if (direction == Directions.Upgrade)
        {
            await Journal.Add(connection, transaction, new AppliedScript
            {
                ScriptName = script.Name,
                Applied = time.Now(),
                Checksum = script.Checksum,
                DurationSeconds = seconds,
                AppliedBy = Journal.WhoRuns(),
                ToolVersion = Journal.ToolVersion,
            }, ct);
        }
        else
        {
            await Journal.Remove(connection, transaction, script.Name, ct);
        }

        await Journal.Write(connection, transaction, Attempt(script.Name, direction, Outcomes.Finished) with { DurationSeconds = seconds }, ct);
    }

    // That it cannot be written down must not hide why it failed.
    private async Task Remember(DbConnection connection, Script script, string direction, Exception exception, Stopwatch clock)
    {
        var file = direction == Directions.Upgrade ? script.Up : script.Down!;
        // Of an index that is built concurrently a refusal half-way leaves something too.
        var refused = exception.InnerException is DbException said && _dialect.Explain(said).Final && !file.Transactional && !file.Statements[0].IsConcurrent;
        var attempt = Attempt(script.Name, direction, refused ? Outcomes.Refused : Outcomes.Failed) with
        {
            DurationSeconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
            Message = exception switch
            {
                OperationCanceledException => "interrupted",
                DbException failed => _dialect.Explain(failed).Message,
                _ => exception.Message,
            },
        };
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await using var another = connection.State == ConnectionState.Open ? null : await database.Source.OpenConnectionAsync(limit.Token);
            await Journal.Write(another ?? connection, null, attempt, limit.Token);
        }
        catch (Exception unwritten) when (unwritten is DbException or OperationCanceledException or TimeoutException or IOException or InvalidOperationException)
        {
            Progress?.Invoke(new(script.Revision, "this failure could not be written into schema_history"));
        }
    }

    private Attempt Attempt(string scriptName, string direction, string outcome) => new() { ScriptName = scriptName, Direction = direction, Outcome = outcome, At = time.Now() };
}
