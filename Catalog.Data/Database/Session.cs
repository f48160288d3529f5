using System.Data.Common;
using System.Diagnostics;
using Dapper;

namespace Catalog.Data.Database;

/// <summary>
/// One connection in the context of one organization, for several statements. Used within one repository method.
/// </summary>
public sealed class Session
{
    private readonly Action<string, TimeSpan>? _echo;
    private readonly Dialect _dialect;
    private readonly RowSecurityContext _context;
    private readonly DatabaseOperation _state;
    private bool _contextIsSet;

    internal Session(
        DbConnection connection, DbTransaction? transaction, Dialect dialect, RowSecurityContext context, DatabaseOperation state,
        Action<string, TimeSpan>? echo)
    {
        _echo = echo;
        _state = state;
        _dialect = dialect;
        _context = context;
        Connection = connection;
        Transaction = transaction;
    }

    internal DbConnection Connection { get; }

    internal DbTransaction? Transaction { get; }

    internal bool IsRollbackRequested { get; private set; }

    /// <summary>Makes the transaction roll back after the work returns. Call it when the request is rejected.</summary>
    public void RequestRollback() => IsRollbackRequested = true;

    /// <summary>The first row; the type's default when there is no row.</summary>
    public Task<T?> One<T>(string sql, object? parameters, CancellationToken ct) => Echo(sql, async () =>
        TakeContextSql() is not { } contextSql
            ? await Connection.QueryFirstOrDefaultAsync<T>(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct))
            : (await QueryInContext<T>(contextSql, sql, parameters, ct)) is [var first, ..] ? first : default);

    /// <summary>All rows.</summary>
    public Task<List<T>> Many<T>(string sql, object? parameters, CancellationToken ct) => Echo(sql, async () =>
        TakeContextSql() is not { } contextSql
            ? (await Connection.QueryAsync<T>(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct))).AsList()
            : await QueryInContext<T>(contextSql, sql, parameters, ct));

    /// <summary>
    /// Calls <paramref name="row"/> for each row with the open reader. Use it for large results, where an object for
    /// each value takes more time than the query.
    /// </summary>
    /// <returns>The number of rows.</returns>
    public Task<int> Each(string sql, object? parameters, Action<DbDataReader> row, CancellationToken ct) => Echo(sql, async () =>
    {
        await using var reader = await Read(TakeContextSql(), sql, parameters, ct);
        var rows = 0;
        while (await reader.ReadAsync(ct))
        {
            row(reader);
            rows++;
        }

        // The results are read to the end, because an error can follow the rows.
        await reader.NextResultAsync(ct);
        return rows;
    });

    /// <summary>Runs a statement and returns the number of affected rows.</summary>
    public Task<int> Execute(string sql, object? parameters, CancellationToken ct) => Echo(sql, () =>
        TakeContextSql() is not { } contextSql
            ? Connection.ExecuteAsync(new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct))
            : Connection.ExecuteAsync(
                new CommandDefinition(InContext(contextSql, sql), WithContext(contextSql, parameters), Transaction,
                    cancellationToken: ct)));

    /// <summary>Runs a statement over a set of rows. The parameter <c>@organization</c> is also set.</summary>
    /// <returns>The returned rows, in no guaranteed order.</returns>
    public Task<List<TResult>> Run<T, TResult>(string sql, InputRows<T> rows, IReadOnlyList<T> items, CancellationToken ct) =>
        Run(new Statement<T, TResult>(_context.Value, sql, rows, items), ct);

    /// <summary>Runs a statement that belongs to this session's organization.</summary>
    /// <returns>The returned rows, in no guaranteed order.</returns>
    public async Task<List<TResult>> Run<T, TResult>(Statement<T, TResult> statement, CancellationToken ct)
    {
        if (statement.Count > 0)
        {
            statement.ContextSql = TakeContextSql();
            await Echo(statement.Sql, async () =>
            {
                await _dialect.Send(Connection, Transaction, [statement], ct);
                return true;
            });
        }

        return statement.Results;
    }

    /// <summary>
    /// Runs statements of this session's organization in order, in one round trip on Postgres. Statements without rows
    /// are skipped.
    /// </summary>
    public async Task Send(IEnumerable<Statement> statements, CancellationToken ct)
    {
        List<Statement> sent = [.. statements.Where(statement => statement.Count > 0)];
        if (sent.Count == 0)
        {
            return;
        }

        foreach (var statement in sent)
        {
            statement.ContextSql = TakeContextSql();
        }

        var began = Stopwatch.GetTimestamp();
        await _dialect.Send(Connection, Transaction, sent, ct);
        _state.RecordResponse();
        if (_echo is not null)
        {
            var duration = Stopwatch.GetElapsedTime(began);
            sent.ForEach(statement => _echo(statement.Sql, duration));
        }
    }

    // The context is valid until the transaction ends. Without a transaction, it is valid for one statement.
    private ContextSql? TakeContextSql()
    {
        if (_contextIsSet)
        {
            return null;
        }

        _contextIsSet = Transaction is not null;
        return _context.Sql;
    }

    private async Task<List<T>> QueryInContext<T>(ContextSql contextSql, string sql, object? parameters, CancellationToken ct)
    {
        await using var reader = await Read(contextSql, sql, parameters, ct);
        var rows = new List<T>();
        var parse = reader.GetRowParser(typeof(T));
        while (await reader.ReadAsync(ct))
        {
            rows.Add((T)parse(reader));
        }

        // The results are read to the end, because an error can follow the rows.
        await reader.NextResultAsync(ct);
        return rows;
    }

    private async Task<DbDataReader> Read(ContextSql? contextSql, string sql, object? parameters, CancellationToken ct)
    {
        var reader = await Connection.ExecuteReaderAsync(contextSql is null
            ? new CommandDefinition(sql, parameters, Transaction, cancellationToken: ct)
            : new CommandDefinition(InContext(contextSql, sql), WithContext(contextSql, parameters), Transaction, cancellationToken: ct));
        if (contextSql is not { ReturnsRow: true })
        {
            return reader;
        }

        try
        {
            // The first result belongs to the context SQL.
            await reader.NextResultAsync(ct);
            return reader;
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    private string InContext(ContextSql contextSql, string sql) => contextSql.Before(sql, _context.Value, Transaction is not null);

    // The context and the parameter @organization name the same organization. If they differ, row-level security
    // returns no rows.
    private object? WithContext(ContextSql contextSql, object? parameters)
    {
        if (contextSql.IsBlock)
        {
            return parameters;
        }

        var all = new DynamicParameters(parameters);
        all.Add(RowSecurityContext.Parameter, _context.Value);
        return all;
    }

    private async Task<T> Echo<T>(string sql, Func<Task<T>> run)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            return await run();
        }
        finally
        {
            _state.RecordResponse();
            _echo?.Invoke(sql, Stopwatch.GetElapsedTime(began));
        }
    }
}
