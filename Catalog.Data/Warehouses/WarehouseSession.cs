using System.Data.Common;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Warehouses;

/// <summary>The rows of a result.</summary>
/// <param name="Columns">The names of the columns.</param>
/// <param name="Rows">
/// The values of each row. A value is null, bool, long, decimal, double, string or <see cref="DateTimeOffset"/>.
/// </param>
/// <param name="Truncated">Whether the result has more rows than these.</param>
public sealed record WarehouseRows(IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows, bool Truncated);

/// <summary>
/// A session on a warehouse that can only read. It runs one statement at a time. After a statement that failed or had
/// too many rows, the next statement gets a new connection, because the old connection may still be busy.
/// </summary>
public sealed class WarehouseSession : IAsyncDisposable
{
    // How much longer than the time limit of the server the session waits, so that the error of the server can arrive.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.5);

    private readonly Func<CancellationToken, Task<WarehouseConnection>> _connect;
    private readonly WarehouseLimits _limits;
    private readonly Action _release;
    private WarehouseConnection? _connection;
    private bool _closed;

    internal WarehouseSession(Func<CancellationToken, Task<WarehouseConnection>> connect, WarehouseSql sql, WarehouseLimits limits,
        Action release) => (_connect, Sql, _limits, _release) = (connect, sql, limits, release);

    /// <summary>How SQL is written for this warehouse.</summary>
    public WarehouseSql Sql { get; }

    /// <summary>The number of statements that <see cref="Query"/> sent.</summary>
    public int Statements { get; private set; }

    internal async Task Connect(CancellationToken ct) => _connection = await _connect(ct);

    /// <summary>Runs one statement.</summary>
    /// <exception cref="WarehouseException">The statement failed, or its result is too large.</exception>
    public async Task<WarehouseRows> Query(string text, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        Statements++;
        var connection = _connection ??= await _connect(ct);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_limits.Timeout + Grace);
        connection.BeginStatement();
        var running = new Running();
        Task<WarehouseRows>? reading = null;
        try
        {
            reading = connection.IsBlocking
                ? Task.Run(() => Read(connection, text, running, limit.Token), CancellationToken.None)
                : Read(connection, text, running, limit.Token);
            // A driver may notice the cancellation late, if its server never stops sending.
            var rows = await reading.WaitAsync(_limits.Timeout + Grace + Grace, CancellationToken.None);
            if (rows.Truncated)
            {
                await Drop(running.Reader, reading);
            }

            return rows;
        }
        catch (Exception exception)
        {
            await Drop(running.Reader, reading);
            ct.ThrowIfCancellationRequested();
            throw connection.IsOverLimit && exception is not WarehouseException ? WarehouseMessages.AnswerTooLarge()
                : limit.IsCancellationRequested ? WarehouseMessages.Timeout(_limits)
                : exception as WarehouseException ?? (exception is OperationCanceledException or TimeoutException
                    ? WarehouseMessages.Timeout(_limits) : connection.Translate(exception));
        }
    }

    private async Task<WarehouseRows> Read(WarehouseConnection connection, string text, Running running, CancellationToken ct)
    {
        var reader = running.Reader = await connection.Execute(text, ct);
        // A statement that returns no columns is not a query. COMMIT is an example.
        if (reader.FieldCount is 0)
        {
            throw WarehouseMessages.NoRows();
        }

        if (reader.FieldCount > _limits.MaxColumns)
        {
            throw WarehouseMessages.TooMuchData($"The result has more than {_limits.MaxColumns} columns. Select fewer.");
        }

        string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
        var (rows, values) = (new List<object?[]>(), new WarehouseValues(connection, _limits));
        while (await reader.ReadAsync(ct))
        {
            ct.ThrowIfCancellationRequested();
            if (rows.Count == _limits.MaxRows)
            {
                return new(columns, rows, true);
            }

            rows.Add(values.ReadRow(reader, columns.Length));
        }

        await reader.DisposeAsync();
        return new(columns, rows, false);
    }

    private async Task Drop(DbDataReader? reader, Task? reading)
    {
        if (Interlocked.Exchange(ref _connection, null) is not { } connection)
        {
            return;
        }

        try
        {
            await Task.Run(() => Close(connection, reader, reading), CancellationToken.None).WaitAsync(Grace);
        }
        // The connection is broken, and the drivers throw many exception types when they close it.
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
        }
    }

    private static async Task Close(WarehouseConnection connection, DbDataReader? reader, Task? reading)
    {
        // An engine inside this process must not be closed while it works. Closing a network connection is allowed and
        // ends the read.
        if (connection.IsBlocking && reading is not null)
        {
            await reading.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        await connection.Abort(reader);
        await connection.DisposeAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_closed)
        {
            _closed = true;
            await Drop(null, null);
            _release();
        }
    }

    // Holds the reader outside of the method Read, so that the reader can be ended when Read fails.
    private sealed class Running
    {
        public DbDataReader? Reader { get; set; }
    }
}
