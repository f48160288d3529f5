using System.Data;
using System.Data.Common;
using System.Globalization;

namespace Catalog.Data.Migrations.Engine;

/// <summary>Runs scripts one after another. Retries after a lock time-out, and completes an interrupted run.</summary>
/// <param name="database">Opens another connection when <paramref name="connection"/> was lost.</param>
/// <param name="connection">The connection that holds the migrator's lock.</param>
/// <param name="chain">The scripts.</param>
/// <param name="limits">Time limits.</param>
/// <param name="progress">Called for each step.</param>
internal sealed class ScriptRunner(
    MigrationDatabase database, DbConnection connection, Chain chain, MigrationLimits limits, Action<MigrationStep> progress)
{
    private readonly SchemaDialect _dialect = database.Dialect;

    /// <summary>Applies or reverts a script, and records a failure in the history.</summary>
    /// <returns>The finished step; null when another migrator has run the script.</returns>
    /// <exception cref="MigrationException">See <see cref="MigrationFault"/>.</exception>
    public async Task<MigrationStep?> Apply(ScriptStep step, bool halfApplied, bool again, CancellationToken ct)
    {
        progress(new(step.Script.Revision, step.IsUpgrade ? "applying" : "undoing"));
        try
        {
            var rows = step.File.Transactional
                ? await InTransaction(step, ct)
                : await WithoutTransaction(step, halfApplied, again, ct);
            if (rows is null)
            {
                return null;
            }

            var done = new MigrationStep(step.Script.Revision, step.IsUpgrade ? "applied" : "undone", rows.Value, step.Seconds);
            progress(done);
            return done;
        }
        catch (Exception exception) when (exception is not MigrationException { Fault: MigrationFault.HalfApplied })
        {
            await RecordFailure(step, exception);
            throw;
        }
    }

    private async Task<long?> InTransaction(ScriptStep step, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            // The session is reset first, because the previous script may have made it read-only.
            await _dialect.ResetSession(connection, limits, ct);
            if (_dialect.Locks)
            {
                await Journal.Write(connection, null, step.Attempt(Outcomes.Started), ct);
            }

            try
            {
                return await Run(step, ct);
            }
            catch (Exception exception) when (_dialect.IsLockTimeout(exception.InnerException ?? exception))
            {
                if (attempt >= limits.Attempts)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained,
                        $"{step.File.Name} was rolled back: a table that it changes was locked by other clients for "
                            + $"{limits.LockTimeout.TotalSeconds:0.###} s, "
                        + $"{attempt} times. Run `catalog-migrations doctor` to see these clients, and run this again when they are done.",
                            exception);
                }

                var wait = TimeSpan.FromMilliseconds(Math.Min(10_000, 250 * Math.Pow(2, attempt)) * (0.5 + Random.Shared.NextDouble()));
                progress(new(step.Script.Revision, string.Create(CultureInfo.InvariantCulture,
                    $"a table is locked by other clients; attempt {attempt + 1} of {limits.Attempts} in {wait.TotalSeconds:0.0} s")));
                await RecordFailure(step, exception);
                await Task.Delay(wait, ct);
            }
        }
    }

    private async Task<long?> WithoutTransaction(ScriptStep step, bool halfApplied, bool again, CancellationToken ct)
    {
        var statement = step.File.Statements[0];
        var done = halfApplied ? await _dialect.TookEffect(connection, statement, ct) : false;
        if (done is null && !again)
        {
            var before = chain.RevisionAt(chain.Position(step.Script.Revision, 0) - 1);
            throw new MigrationException(MigrationFault.HalfApplied,
                $"{step.File.Name} runs without a transaction and was interrupted, and it is unknown whether it took effect. "
                + $"Check the object of line {statement.Line} in the database. "
                + $"If it took effect, run `catalog-migrations stamp {(step.IsUpgrade ? step.Script.Revision : before)}`; "
                + $"if it did not, run `catalog-migrations {step.Direction} --again`.");
        }

        await _dialect.ResetSession(connection, limits, ct);
        if (done is true)
        {
            await new ScriptRun(connection, _dialect, limits, step, ct).MarkAsExecuted();
            return 0;
        }

        await Journal.Write(connection, null, step.Attempt(Outcomes.Started), ct);
        if (statement.IsConcurrent)
        {
            await _dialect.SetLockTimeout(connection, TimeSpan.Zero, ct);
        }

        return await Run(step, ct);
    }

    // Runs a script. Converts a database error to a message with the line, the state of the script, and the fix.
    private async Task<long?> Run(ScriptStep step, CancellationToken ct)
    {
        var run = new ScriptRun(connection, _dialect, limits, step, ct);
        try
        {
            return await run.Execute() ? run.Rows : null;
        }
        catch (DbException exception) when (connection.State != ConnectionState.Open && !_dialect.Explain(exception).Final)
        {
            throw ScriptFailures.ConnectionLost(step.File, run.Failed, exception);
        }
        catch (DbException exception)
        {
            throw ScriptFailures.Rejected(step.File, run.Failed, _dialect.Explain(exception), exception);
        }
        catch (Exception exception) when (exception is NotSupportedException or InvalidOperationException)
        {
            throw ScriptFailures.NotRunnable(step.File, run.Failed, exception);
        }
    }

    // An error while recording the failure must not hide the failure itself.
    private async Task RecordFailure(ScriptStep step, Exception exception)
    {
        // A concurrent index build can be rejected half-way, and then leaves an invalid index. So it is recorded as
        // failed.
        var refused = exception.InnerException is DbException error && _dialect.Explain(error).Final
            && !step.File.Transactional && !step.File.Statements[0].IsConcurrent;
        var attempt = step.Attempt(refused ? Outcomes.Refused : Outcomes.Failed) with
        {
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
            await using var another = connection.State == ConnectionState.Open
                ? null : await database.Source.OpenConnectionAsync(limit.Token);
            await Journal.Write(another ?? connection, null, attempt, limit.Token);
        }
        catch (Exception writing) when (
            writing is DbException or OperationCanceledException or TimeoutException or IOException or InvalidOperationException)
        {
            progress(new(step.Script.Revision, "this failure could not be recorded in schema_history"));
        }
    }
}
