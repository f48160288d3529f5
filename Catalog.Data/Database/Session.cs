using System.Data.Common;
using System.Diagnostics;
using Dapper;

namespace Catalog.Data.Database;

/// <summary>One connection in the context of one organization, for several statements in a row. Lives inside one repository method.</summary>
public sealed class Session
{
    private readonly Action<string, TimeSpan>? _echo;

    internal Session(DbConnection connection, DbTransaction? transaction, Dialect dialect, string organization, Action<string, TimeSpan>? echo)
    {
        _echo = echo;
        Connection = connection;
        Transaction = transaction;
        Dialect = dialect;
        Organization = organization;
    }

    internal DbConnection Connection { get; }

    internal DbTransaction? Transaction { get; }

    private Dialect Dialect { get; }

    private string Organization { get; }

    internal bool Undone { get; private set; }

    /// <summary>Undoes everything that this transaction wrote, once the work returns: it was refused.</summary>
    public void Undo() => Undone = true;

    /// <summary>The first row, or the type's default when there is none.</summary>
    public Task<T?> One<T>(string sql, object? parameters, CancellationToken ct) =>
        Echo(sql, () => Connection.QueryFirstOrDefaultAsync<T>(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct)));

    /// <summary>All rows.</summary>
    public async Task<List<T>> Many<T>(string sql, object? parameters, CancellationToken ct) =>
        (await Echo(sql, () => Connection.QueryAsync<T>(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct)))).AsList();

    /// <summary>Shows each row to <paramref name="row"/> as the driver has it, for answers of so many rows that an object for each value would cost more than the query.</summary>
    /// <returns>How many rows there were.</returns>
    public Task<int> Each(string sql, object? parameters, Action<DbDataReader> row, CancellationToken ct) => Echo(sql, async () =>
    {
        await using var reader = await Connection.ExecuteReaderAsync(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct));
        var rows = 0;
        while (await reader.ReadAsync(ct))
        {
            row(reader);
            rows++;
        }

        return rows;
    });

    /// <summary>The number of rows that the statement changed.</summary>
    public Task<int> Execute(string sql, object? parameters, CancellationToken ct) =>
        Echo(sql, () => Connection.ExecuteAsync(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct)));

    /// <summary>Runs a statement over a set of rows, with <c>@organization</c> beside them.</summary>
    /// <returns>What the statement returned, in no promised order.</returns>
    public Task<List<TResult>> Run<T, TResult>(string sql, Rows<T> rows, IReadOnlyList<T> items, CancellationToken ct) =>
        items.Count == 0 ? Task.FromResult(new List<TResult>()) : Echo(sql, () => Dialect.Run<T, TResult>(this, sql, Organization, rows, items, ct));

    private async Task<T> Echo<T>(string sql, Func<Task<T>> run)
    {
        if (_echo is null)
        {
            return await run();
        }

        var began = Stopwatch.GetTimestamp();
        try
        {
            return await run();
        }
        finally
        {
            _echo(sql, Stopwatch.GetElapsedTime(began));
        }
    }
}
