using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Dapper;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Removes data older than its retention, as the tables' owner, in small transactions with pauses between them. Only
/// one removal runs per database at a time. Rows that ingest has locked are skipped, and the next removal removes them.
/// So removal and ingest do not wait for each other.
/// </summary>
public sealed class OldDataRemoval(MigrationDatabase database, RetentionDays days, TimeProvider time, RemovalLimits? limits = null)
{
    private readonly SchemaDialect _dialect = database.Dialect;
    private readonly RemovalEngine _engine = RemovalEngine.For(database);
    private readonly RemovalLimits _limits = limits ?? new();

    /// <summary>
    /// Called after every transaction that removed rows, with all rows removed so far of the same kind and
    /// organization; null for no calls.
    /// </summary>
    public Action<Removed>? Progress { get; init; }

    /// <summary>
    /// Called with a description of another removal, if that removal holds the lock; null for no calls.
    /// </summary>
    public Action<string>? Waiting { get; init; }

    /// <summary>Counts the rows that <see cref="Apply"/> would remove now. Changes nothing.</summary>
    public async Task<RemovalReport> Count(RemovalScope scope, CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.BeginRead(connection, ct);
        await _engine.PlanByIndex(connection, reading, ct);
        var plan = await RemovalPlan.Find(_engine, connection, reading, scope, days, time.Now(), ct);
        var counted = new List<Removed>();
        foreach (var part in plan)
        {
            var rows = await Count(connection, reading, plan, part, ct);
            if (rows.Any(table => table.Rows > 0))
            {
                counted.Add(part.With(rows));
            }
        }

        return new(counted, plan.Count, Interrupted: false);
    }

    /// <summary>Removes old rows.</summary>
    /// <param name="scope">The kinds and the organization.</param>
    /// <param name="ct">Cancels after the current transaction; removed rows stay removed.</param>
    /// <exception cref="MigrationException">Another removal did not finish in time, or tables stayed locked.</exception>
    public async Task<RemovalReport> Apply(RemovalScope scope, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await _dialect.BeginSession(connection, stop => database.Source.OpenConnectionAsync(stop),
            new MigrationLimits { LockTimeout = _limits.LockTimeout, MaxWait = _limits.MaxWait }, ct);
        await using var removalLock = await _engine.Lock(connection, _limits.MaxWait, holder => Waiting?.Invoke(holder), ct)
            ?? throw new MigrationException(
                MigrationFault.LockNotObtained,
                $"Another retention run has not finished within {_limits.MaxWait.TotalSeconds:0.###} s. It removes the same "
                    + "rows. If it fails, run this again.");
        // After a cancellation, the current transaction gets five seconds to finish.
        using var stop = new CancellationTokenSource();
        await using var cancellation = ct.Register(() => stop.CancelAfter(TimeSpan.FromSeconds(5)));
        var batches = new RemovalBatches(database, connection, _limits, time, stop.Token) { Progress = Progress };
        var plan = await batches.RetryOnLock(() => RemovalPlan.Find(_engine, connection, null, scope, days, time.Now(), ct), ct);
        var removed = new List<Removed>();
        foreach (var part in plan)
        {
            var (rows, finished) = await batches.Remove(part, part.Kind switch
            {
                RetentionKind.Results => ResultRemoval.NextBatch(part, batches),
                RetentionKind.Executions => ExecutionRemoval.NextBatch(part, batches),
                RetentionKind.Runs => RunRemoval.NextBatch(part, batches),
                RetentionKind.Events => LoggedEventRemoval.NextBatch(part, batches, EventRemoval.NextBatch(part, batches)),
                _ => PipelineRemoval.NextBatch(part, batches),
            }, ct);
            if (rows.Any(table => table.Rows > 0))
            {
                removed.Add(part.With(rows));
            }

            if (!finished)
            {
                return new(removed, plan.Count, Interrupted: true);
            }
        }

        return new(removed, plan.Count, Interrupted: false);
    }

    private static async Task<List<TableRows>> Count(DbConnection connection, DbTransaction reading, List<RemovalPart> plan,
        RemovalPart part, CancellationToken ct)
    {
        // Rows that are removed with an earlier kind are not counted for a later kind.
        DateTimeOffset? CutOff(RetentionKind kind) =>
            plan.Find(other => other.Organization == part.Organization && other.Kind == kind)?.Before;
        var (runsBefore, resultsBefore) = (CutOff(RetentionKind.Runs), CutOff(RetentionKind.Results));
        var counts = part.Kind switch
        {
            RetentionKind.Results => ResultRemoval.CountQueries(),
            RetentionKind.Executions => ExecutionRemoval.CountQueries(),
            RetentionKind.Runs => RunRemoval.CountQueries(),
            RetentionKind.Events => [.. EventRemoval.CountQueries(runsBefore is not null), LoggedEventRemoval.CountQuery()],
            _ => PipelineRemoval.CountQueries(runsBefore is not null, resultsBefore is not null),
        };
        var rows = new List<TableRows>();
        foreach (var (table, sql) in counts)
        {
            rows.Add(new(table, await connection.ExecuteScalarAsync<long>(
                new CommandDefinition(sql, new { organization = part.Organization, before = part.Before, runsBefore, resultsBefore },
                    reading, cancellationToken: ct))));
        }

        return rows;
    }
}
