using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>
/// The Catalog's own database. The only place that hands out connections for an organization's data, each in the context that
/// row-level security needs. Failures of the engine leave here as <see cref="DatabaseUnavailableException"/>.
/// </summary>
/// <param name="reads">Connections for statements that only read.</param>
/// <param name="writes">Connections for statements that write.</param>
/// <param name="dialect">What the engines cannot share.</param>
/// <param name="echo">Told of every statement and how long it took, never of its parameters; null: nobody is.</param>
public sealed class CatalogDatabase(DbDataSource reads, DbDataSource writes, Dialect dialect, Action<string, TimeSpan>? echo) : IAsyncDisposable
{
    /// <summary>What the engines cannot share.</summary>
    public Dialect Dialect { get; } = dialect;

    /// <summary>Whether the database itself keeps organizations apart; null on an engine that never does.</summary>
    public Task<Isolation?> Isolation(CancellationToken ct) => Explained(() => Dialect.Isolation(ct));

    /// <summary>What goes before the statements of requests, which sets their role and context; null: nothing.</summary>
    public ValueTask<string?> Before(CancellationToken ct) => Dialect.Before(ct);

    /// <summary>The first row of one statement that only reads, or the type's default when there is none.</summary>
    public Task<T?> One<T>(string organization, string sql, object? parameters, CancellationToken ct) =>
        Read(organization, session => session.One<T>(sql, parameters, ct), ct);

    /// <summary>All rows of one statement that only reads.</summary>
    public Task<List<T>> Many<T>(string organization, string sql, object? parameters, CancellationToken ct) =>
        Read(organization, session => session.Many<T>(sql, parameters, ct), ct);

    /// <summary>As <see cref="One{T}(string, string, object?, CancellationToken)"/>, each row read by hand: for what is read most.</summary>
    public async Task<T?> One<T>(string organization, string sql, object? parameters, Func<DbDataReader, T> read, CancellationToken ct) where T : class =>
        await Many(organization, sql, parameters, read, ct) is [var first, ..] ? first : null;

    /// <summary>As <see cref="Many{T}(string, string, object?, CancellationToken)"/>, each row read by hand: for what is read most.</summary>
    public Task<List<T>> Many<T>(string organization, string sql, object? parameters, Func<DbDataReader, T> read, CancellationToken ct) => Read(organization, async session =>
    {
        var rows = new List<T>();
        await session.Each(sql, parameters, row => rows.Add(read(row)), ct);
        return rows;
    }, ct);

    /// <summary>All rows of a look-up that comes before an organization is known.</summary>
    /// <param name="by">What is looked up.</param>
    /// <param name="value">What the look-up names.</param>
    /// <param name="sql">One statement that only reads, with the same condition on <c>@value</c>.</param>
    /// <param name="ct">Cancels.</param>
    public Task<List<T>> LookUp<T>(LookUp by, string value, string sql, CancellationToken ct) => Run(reads, () => Dialect.Before(by, ct),
        (connection, before, attempt) => new Session(connection, null, Dialect, new(before, value), attempt, echo).Many<T>(sql, new { value }, ct), ct);

    /// <summary>Several statements that only read, on one connection. Each sees what was committed when it began.</summary>
    public Task<T> Read<T>(string organization, Func<Session, Task<T>> work, CancellationToken ct) => Run(reads, () => Dialect.Before(ct),
        (connection, before, attempt) => work(new Session(connection, null, Dialect, new(before, organization), attempt, echo)), ct);

    /// <summary>Statements that write, in one transaction, committed when <paramref name="work"/> returns, undone when it throws or calls <see cref="Session.Undo"/>.</summary>
    /// <param name="organization">Whose context.</param>
    /// <param name="work">Is called again when the connection was lost before the commit.</param>
    /// <param name="ct">Cancels before the commit.</param>
    public Task<T> Write<T>(string organization, Func<Session, Task<T>> work, CancellationToken ct) => Run(writes, () => Dialect.Before(ct), async (connection, before, attempt) =>
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var session = new Session(connection, transaction, Dialect, new(before, organization), attempt, echo);
        var result = await work(session);
        if (!session.Undone)
        {
            // A caller that has gone away must not leave the outcome open between the last statement and the commit.
            await attempt.Commit(transaction);
        }

        return result;
    }, ct);

    /// <summary>
    /// Statements of any organizations, each in its context, in one transaction and, where there are trips, in one round trip. They are
    /// sent again when the connection is lost, so each must be idempotent by its rows' keys.
    /// </summary>
    public Task Write(IReadOnlyList<Statement> statements, CancellationToken ct) => statements.All(statement => statement.Count == 0)
        ? Task.CompletedTask
        : Run(writes, () => Dialect.Before(ct), async (connection, before, attempt) =>
        {
            await new JointSession(connection, null, Dialect, before, attempt, echo).Send(statements, ct);
            return true;
        }, ct);

    /// <summary>Statements of several organizations in one transaction, committed when <paramref name="work"/> returns, undone when it throws.</summary>
    /// <inheritdoc cref="Write{T}(string, Func{Session, Task{T}}, CancellationToken)" path="/param"/>
    public Task WriteTogether(Func<JointSession, Task> work, CancellationToken ct) => Run(writes, () => Dialect.Before(ct), async (connection, before, attempt) =>
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await work(new JointSession(connection, transaction, Dialect, before, attempt, echo));
        await attempt.Commit(transaction);
        return true;
    }, ct);

    // A connection that was lost while it lay in the pool fails the first request that takes it, so the work is tried on another.
    private Task<T> Run<T>(
        DbDataSource source, Func<ValueTask<string?>> before, Func<DbConnection, string?, Attempt, Task<T>> work, CancellationToken ct) =>
        Explained(async () =>
        {
            var attempt = new Attempt();
            try
            {
                return await attempt.Within(On(source, before, work, attempt, ct));
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && attempt.MayBeRepeated && Dialect.Recovers(exception))
            {
                return await attempt.Within(On(source, before, work, attempt, ct));
            }
        });

    // What goes before is asked for first: to find it out may take a connection too.
    private async Task<T> On<T>(
        DbDataSource source, Func<ValueTask<string?>> before, Func<DbConnection, string?, Attempt, Task<T>> work, Attempt attempt, CancellationToken ct)
    {
        var context = await before();
        await using var connection = await source.OpenConnectionAsync(ct);
        try
        {
            return await work(connection, context, attempt);
        }
        catch (Exception exception)
        {
            Dialect.Mend(connection, exception);
            throw;
        }
    }

    private async Task<T> Explained<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is not DatabaseUnavailableException && Dialect.WhyUnavailable(exception) is { } reason)
        {
            throw new DatabaseUnavailableException(reason, exception);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await reads.DisposeAsync();
        await writes.DisposeAsync();
    }
}
