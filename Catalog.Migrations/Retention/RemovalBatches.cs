using Catalog.Data;
using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Retention;

/// <summary>The transactions of a removal: each of few rows and with its audit entry, then a rest.</summary>
/// <param name="database">Where.</param>
/// <param name="connection">The one that they go through.</param>
/// <param name="limits">How gently.</param>
/// <param name="time">The clock.</param>
/// <param name="stop">Breaks off the transaction at hand.</param>
internal sealed class RemovalBatches(MigrationDatabase database, DbConnection connection, RemovalLimits limits, TimeProvider time, CancellationToken stop)
{
    private readonly SchemaDialect _dialect = database.Dialect;
    private readonly RemovalEngine _engine = RemovalEngine.For(database);

    /// <summary>Told after every transaction what has gone of a kind so far; null: nobody is.</summary>
    public Action<Removed>? Progress { get; init; }

    /// <summary>The rows of one transaction, at most.</summary>
    public int Size => limits.Batch;

    /// <summary>What passes over rows that others hold, at the end of a query.</summary>
    public string SkipLocked => _engine.SkipLocked;

    /// <summary>What the engines cannot share in queries.</summary>
    public Dialect Queries => database.Failures;

    /// <summary>Removes one kind of one organization, a transaction after the other until one was the last.</summary>
    /// <param name="part">Of whom and what.</param>
    /// <param name="batch">Removes the next rows, inside its transaction.</param>
    /// <param name="ct">Stops after the transaction at hand.</param>
    /// <returns>What has gone, and whether that was all; otherwise it was told to stop.</returns>
    public async Task<(IReadOnlyList<TableRows> Rows, bool Finished)> Remove(RemovalPart part, Func<DbTransaction, Task<RemovedBatch>> batch, CancellationToken ct)
    {
        var audit = new RemovalAudit(part.Organization, part.Kind, part.KeptDays, part.Before);
        List<TableRows> total = [];
        try
        {
            for (var last = false; !last;)
            {
                ct.ThrowIfCancellationRequested();
                var began = time.GetTimestamp();
                var done = await Patiently(() => Once(batch, audit, total), ct);
                last = done.Last;
                done.Committed();
                if (done.Rows.Any(table => table.Rows > 0))
                {
                    total = Sum(total, done.Rows);
                    Progress?.Invoke(part.With(total));
                    var took = time.GetElapsedTime(began);
                    await Task.Delay(took > limits.Pause ? took : limits.Pause, time, ct);
                }
            }

            return (total, true);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (total, false);
        }
    }

    /// <summary>Does something that may have to wait for a table, several times if it waited in vain.</summary>
    /// <exception cref="MigrationException">Tables stayed locked.</exception>
    public async Task<T> Patiently<T>(Func<Task<T>> work, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (_dialect.IsLockTimeout(exception))
            {
                if (attempt >= limits.Attempts)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained,
                        $"Others kept the tables locked through {attempt} attempts. What was removed stays removed; run this again when they are done. `catalog-migrations doctor` says who they are.", exception);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), time, ct);
            }
        }
    }

    /// <summary>The rows that a statement of the transaction gives.</summary>
    public async Task<List<T>> Many<T>(DbTransaction transaction, string sql, object parameters) =>
        (await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, transaction, cancellationToken: stop))).AsList();

    /// <summary>How many rows a statement of the transaction changed.</summary>
    public Task<int> Execute(DbTransaction transaction, string sql, object parameters) =>
        connection.ExecuteAsync(new CommandDefinition(sql, parameters, transaction, cancellationToken: stop));

    private async Task<RemovedBatch> Once(Func<DbTransaction, Task<RemovedBatch>> batch, RemovalAudit audit, List<TableRows> before)
    {
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await _engine.PlanByIndex(connection, transaction, stop);
        var done = await batch(transaction);
        if (done.Rows.Any(table => table.Rows > 0))
        {
            await audit.Write(connection, transaction, Sum(before, done.Rows), time.Now(), stop);
        }

        await transaction.CommitAsync(stop);
        return done;
    }

    private static List<TableRows> Sum(List<TableRows> total, List<TableRows> rows) =>
        total.Count == 0 ? rows : [.. rows.Zip(total, (one, other) => one with { Rows = one.Rows + other.Rows })];
}

/// <summary>What one transaction removes.</summary>
/// <param name="Rows">What has gone, by table.</param>
/// <param name="Last">Whether nothing is left for another.</param>
/// <param name="Committed">Moves on; not called for a batch that was undone and is tried again.</param>
internal sealed record RemovedBatch(List<TableRows> Rows, bool Last, Action Committed);
