using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Dapper;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Removes what is older than it is kept, as the tables' owner, in transactions of few rows with rests between them. Only one works on a
/// database at a time. What ingest holds is passed over and goes next time, so neither waits for the other.
/// </summary>
public sealed class Removal(MigrationDatabase database, RetentionDays days, TimeProvider time, RemovalLimits? limits = null)
{
    private readonly SchemaDialect _dialect = database.Dialect;
    private readonly RemovalEngine _engine = RemovalEngine.For(database);
    private readonly RemovalLimits _limits = limits ?? new();

    /// <summary>Told after every transaction what has gone of a kind so far; null: nobody is.</summary>
    public Action<Removed>? Progress { get; init; }

    /// <summary>Told who is waited for; null: nobody is.</summary>
    public Action<string>? Waiting { get; init; }

    /// <summary>Counts what <see cref="Apply"/> would remove now, and writes nothing.</summary>
    public async Task<RemovalReport> Count(RemovalScope scope, CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.BeginRead(connection, ct);
        await _engine.PlanByIndex(connection, reading, ct);
        var plan = await RemovalPlan.Find(connection, reading, scope, days, time.Now(), ct);
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

    /// <summary>Removes.</summary>
    /// <param name="scope">Of what.</param>
    /// <param name="ct">Stops after the transaction at hand; what has gone stays gone.</param>
    /// <exception cref="MigrationException">Another removal did not finish in time, or tables stayed locked.</exception>
    public async Task<RemovalReport> Apply(RemovalScope scope, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await _dialect.BeginSession(connection, stop => database.Source.OpenConnectionAsync(stop), new MigrationLimits { LockTimeout = _limits.LockTimeout, MaxWait = _limits.Patience }, ct);
        await using var held = await _engine.Lock(connection, _limits.Patience, holder => Waiting?.Invoke(holder), ct)
            ?? throw new MigrationException(MigrationFault.LockNotObtained, $"Another retention has been at work for {_limits.Patience.TotalSeconds:0.###} s. It removes the same; run this again if it should not finish.");
        // The transaction at hand is let finish, but not for ever.
        using var stop = new CancellationTokenSource();
        await using var stopping = ct.Register(() => stop.CancelAfter(TimeSpan.FromSeconds(5)));
        var batches = new RemovalBatches(database, connection, _limits, time, stop.Token) { Progress = Progress };
        var plan = await batches.Patiently(() => RemovalPlan.Find(connection, null, scope, days, time.Now(), ct), ct);
        var removed = new List<Removed>();
        foreach (var part in plan)
        {
            var (rows, finished) = await batches.Remove(part, part.Kind switch
            {
                RetentionKind.Results => ResultRemoval.Of(part, batches),
                RetentionKind.Runs => RunRemoval.Of(part, batches),
                RetentionKind.Events => EventRemoval.Of(part, batches),
                _ => PipelineRemoval.Of(part, batches),
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

    private static async Task<List<TableRows>> Count(DbConnection connection, DbTransaction reading, List<RemovalPart> plan, RemovalPart part, CancellationToken ct)
    {
        // What an earlier kind takes is not there for a later one.
        DateTimeOffset? Taken(RetentionKind kind) => plan.Find(other => other.Organization == part.Organization && other.Kind == kind)?.Before;
        var (runsBefore, resultsBefore) = (Taken(RetentionKind.Runs), Taken(RetentionKind.Results));
        var counts = part.Kind switch
        {
            RetentionKind.Results => ResultRemoval.Counts(),
            RetentionKind.Runs => RunRemoval.Counts(),
            RetentionKind.Events => EventRemoval.Counts(runsBefore is not null),
            _ => PipelineRemoval.Counts(runsBefore is not null, resultsBefore is not null),
        };
        var rows = new List<TableRows>();
        foreach (var (table, sql) in counts)
        {
            rows.Add(new(table, await connection.ExecuteScalarAsync<long>(
                new CommandDefinition(sql, new { organization = part.Organization, before = part.Before, runsBefore, resultsBefore }, reading, cancellationToken: ct))));
        }

        return rows;
    }
}
