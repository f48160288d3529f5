using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Retention;

/// <summary>
/// Runs the transactions of a removal. Each transaction removes a limited number of rows and writes the audit entry. A
/// pause follows.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="connection">The connection for all transactions.</param>
/// <param name="limits">Batch size and time limits.</param>
/// <param name="time">The clock.</param>
/// <param name="stop">Cancels the current transaction.</param>
internal sealed class RemovalBatches(MigrationDatabase database, DbConnection connection, RemovalLimits limits, TimeProvider time,
    CancellationToken stop)
{
    private readonly SchemaDialect _dialect = database.Dialect;
    private readonly RemovalEngine _engine = RemovalEngine.For(database);

    /// <summary>
    /// Called after every transaction that removed rows, with all rows removed so far of the same kind and
    /// organization; null for no calls.
    /// </summary>
    public Action<Removed>? Progress { get; init; }

    /// <summary>Maximum number of rows per transaction.</summary>
    public int Size => limits.Batch;

    /// <summary>The end of a query that skips locked rows; see <see cref="RemovalEngine.SkipLocked"/>.</summary>
    public string SkipLocked => _engine.SkipLocked;

    /// <summary>The engine-specific SQL for queries.</summary>
    public Dialect Queries => database.Failures;

    /// <summary>Removes the old rows of one kind of one organization, in as many transactions as needed.</summary>
    /// <param name="part">The kind and the organization.</param>
    /// <param name="batch">Removes the next rows in a given transaction.</param>
    /// <param name="ct">Cancels after the current transaction.</param>
    /// <returns>The removed rows per table, and true if finished or false if cancelled.</returns>
    public async Task<(IReadOnlyList<TableRows> Rows, bool Finished)> Remove(
        RemovalPart part, Func<DbTransaction, Task<RemovedBatch>> batch, CancellationToken ct)
    {
        var audit = new RemovalAudit(part.Organization, part.Kind, part.KeptDays, part.Before);
        List<TableRows> total = [];
        try
        {
            for (var last = false; !last;)
            {
                ct.ThrowIfCancellationRequested();
                var started = time.GetTimestamp();
                var result = await RetryOnLock(() => RunBatch(batch, audit, total), ct);
                last = result.Last;
                result.Committed();
                if (result.Rows.Any(table => table.Rows > 0))
                {
                    total = Sum(total, result.Rows);
                    Progress?.Invoke(part.With(total));
                    var elapsed = time.GetElapsedTime(started);
                    await Task.Delay(elapsed > limits.Pause ? elapsed : limits.Pause, time, ct);
                }
            }

            return (total, true);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (total, false);
        }
    }

    /// <summary>Runs an operation and repeats it after a lock time-out.</summary>
    /// <exception cref="MigrationException">All attempts ended in a lock time-out.</exception>
    public async Task<T> RetryOnLock<T>(Func<Task<T>> work, CancellationToken ct)
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
                        $"The tables were locked by other sessions in all {attempt} attempts. Removed rows stay removed. Run this "
                            + "again later; `catalog-migrations doctor` lists these sessions.", exception);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), time, ct);
            }
        }
    }

    /// <summary>Runs a query in the transaction.</summary>
    public async Task<List<T>> Query<T>(DbTransaction transaction, string sql, object parameters) =>
        (await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, transaction, cancellationToken: stop))).AsList();

    /// <summary>Runs a statement in the transaction and returns the number of changed rows.</summary>
    public Task<int> Execute(DbTransaction transaction, string sql, object parameters) =>
        connection.ExecuteAsync(new CommandDefinition(sql, parameters, transaction, cancellationToken: stop));

    /// <summary>Sends statements in the transaction. A statement that has no rows to work on is skipped.</summary>
    public Task Send(DbTransaction transaction, string organization, IEnumerable<Statement> statements) =>
        new CrossOrganizationSession(connection, transaction, Queries, null, new DatabaseOperation(), null)
            .ForOrganization(organization).Send(statements, stop);

    private async Task<RemovedBatch> RunBatch(Func<DbTransaction, Task<RemovedBatch>> batch, RemovalAudit audit, List<TableRows> before)
    {
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await _engine.PlanByIndex(connection, transaction, stop);
        var result = await batch(transaction);
        if (result.Rows.Any(table => table.Rows > 0))
        {
            await audit.Write(connection, transaction, Sum(before, result.Rows), time.Now(), stop);
        }

        await transaction.CommitAsync(stop);
        return result;
    }

    private static List<TableRows> Sum(List<TableRows> total, List<TableRows> rows) =>
        total.Count == 0 ? rows : [.. rows.Zip(total, (left, right) => left with { Rows = left.Rows + right.Rows })];
}

/// <summary>The result of one transaction.</summary>
/// <param name="Rows">The removed rows per table.</param>
/// <param name="Last">True if no rows remain to be removed.</param>
/// <param name="Committed">Called after the commit to advance to the next rows; not called after a rollback.</param>
internal sealed record RemovedBatch(List<TableRows> Rows, bool Last, Action Committed);
