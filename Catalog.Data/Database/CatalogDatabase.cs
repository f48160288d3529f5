using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>
/// The Catalog's own database. Every connection to an organization's data is opened here, with the context that
/// row-level security needs. Engine failures are thrown as <see cref="DatabaseUnavailableException"/>.
/// </summary>
/// <param name="reads">Connections for statements that only read.</param>
/// <param name="writes">Connections for statements that write.</param>
/// <param name="dialect">The SQL and driver differences of the engine.</param>
/// <param name="echo">
/// Called with the SQL and duration of every statement, never with parameters; null to disable.
/// </param>
public sealed class CatalogDatabase(DbDataSource reads, DbDataSource writes, Dialect dialect, Action<string, TimeSpan>? echo)
    : IAsyncDisposable
{
    /// <summary>The SQL and driver differences of the engine.</summary>
    public Dialect Dialect { get; } = dialect;

    /// <summary>
    /// Whether the database itself isolates organizations; null on an engine without row-level security.
    /// </summary>
    public Task<RowSecurityStatus?> Isolation(CancellationToken ct) => TranslateErrors(() => Dialect.Isolation(ct));

    /// <summary>
    /// The SQL that sets role and context before the statements of requests; null when none is needed.
    /// </summary>
    public ValueTask<ContextSql?> ContextSql(CancellationToken ct) => Dialect.ContextSql(ct);

    /// <summary>The first row of one read-only statement; the type's default when there is no row.</summary>
    public Task<T?> One<T>(string organization, string sql, object? parameters, CancellationToken ct) =>
        Read(organization, session => session.One<T>(sql, parameters, ct), ct);

    /// <summary>All rows of one read-only statement.</summary>
    public Task<List<T>> Many<T>(string organization, string sql, object? parameters, CancellationToken ct) =>
        Read(organization, session => session.Many<T>(sql, parameters, ct), ct);

    /// <summary>
    /// Like <see cref="One{T}(string, string, object?, CancellationToken)"/>, but the caller reads the columns of the
    /// row. This is faster, and the most frequent queries use it.
    /// </summary>
    public async Task<T?> One<T>(string organization, string sql, object? parameters, Func<DbDataReader, T> read,
        CancellationToken ct) where T : class =>
        await Many(organization, sql, parameters, read, ct) is [var first, ..] ? first : null;

    /// <summary>
    /// Like <see cref="Many{T}(string, string, object?, CancellationToken)"/>, but the caller reads the columns of each
    /// row. This is faster, and the most frequent queries use it.
    /// </summary>
    public Task<List<T>> Many<T>(string organization, string sql, object? parameters, Func<DbDataReader, T> read, CancellationToken ct) =>
        Read(organization, async session =>
    {
        var rows = new List<T>();
        await session.Each(sql, parameters, row => rows.Add(read(row)), ct);
        return rows;
    }, ct);

    /// <summary>Runs a lookup and returns all rows. A lookup runs before the organization is known.</summary>
    /// <param name="by">The kind of lookup.</param>
    /// <param name="value">The key to look up.</param>
    /// <param name="sql">One read-only statement that also filters by <c>@value</c>.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<List<T>> LookUp<T>(LookUp by, string value, string sql, CancellationToken ct) =>
        Run(reads, () => Dialect.ContextSql(by, ct),
        (connection, contextSql, state) => new Session(connection, null, Dialect, new(contextSql, value), state, echo)
            .Many<T>(sql, new { value }, ct), ct);

    /// <summary>
    /// Runs several read-only statements on one connection. Each statement sees what was committed before it started.
    /// </summary>
    public Task<T> Read<T>(string organization, Func<Session, Task<T>> work, CancellationToken ct) =>
        Run(reads, () => Dialect.ContextSql(ct),
        (connection, contextSql, state) => work(new Session(connection, null, Dialect, new(contextSql, organization), state, echo)), ct);

    /// <summary>
    /// Writes in one transaction. It is committed when <paramref name="work"/> returns, and rolled back when it throws
    /// or calls <see cref="Session.RequestRollback"/>.
    /// </summary>
    /// <param name="organization">The organization whose context is set.</param>
    /// <param name="work">
    /// The statements. It can be called twice, because it runs again when the connection was lost before the commit.
    /// </param>
    /// <param name="ct">Cancels the operation until the commit starts.</param>
    public Task<T> Write<T>(string organization, Func<Session, Task<T>> work, CancellationToken ct) =>
        Run(writes, () => Dialect.ContextSql(ct), async (connection, contextSql, state) =>
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var session = new Session(connection, transaction, Dialect, new(contextSql, organization), state, echo);
        var result = await work(session);
        if (!session.IsRollbackRequested)
        {
            // The commit cannot be cancelled, because the outcome of a cancelled commit is unknown.
            await state.Commit(transaction);
        }

        return result;
    }, ct);

    /// <summary>
    /// Runs statements of several organizations, each in its own context, in one transaction (on Postgres in one round
    /// trip). They are sent again when the connection is lost, so each statement must be idempotent by the keys of its
    /// rows.
    /// </summary>
    public Task Write(IReadOnlyList<Statement> statements, CancellationToken ct) => statements.All(statement => statement.Count == 0)
        ? Task.CompletedTask
        : Run(writes, () => Dialect.ContextSql(ct), async (connection, contextSql, state) =>
        {
            await new CrossOrganizationSession(connection, null, Dialect, contextSql, state, echo).Send(statements, ct);
            return true;
        }, ct);

    /// <summary>
    /// Runs statements of several organizations in one transaction. It is committed when <paramref name="work"/>
    /// returns, and rolled back when it throws.
    /// </summary>
    /// <inheritdoc cref="Write{T}(string, Func{Session, Task{T}}, CancellationToken)" path="/param"/>
    public Task WriteAcrossOrganizations(Func<CrossOrganizationSession, Task> work, CancellationToken ct) =>
        Run(writes, () => Dialect.ContextSql(ct), async (connection, contextSql, state) =>
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await work(new CrossOrganizationSession(connection, transaction, Dialect, contextSql, state, echo));
        await state.Commit(transaction);
        return true;
    }, ct);

    // A pooled connection can be lost while it is idle, and the first statement on it then fails. So the work is tried
    // again on a second connection.
    private Task<T> Run<T>(
        DbDataSource source, Func<ValueTask<ContextSql?>> contextSql, Func<DbConnection, ContextSql?, DatabaseOperation, Task<T>> work,
        CancellationToken ct) =>
        TranslateErrors(async () =>
        {
            var state = new DatabaseOperation();
            try
            {
                return await state.WaitWhileResponding(RunOnConnection(source, contextSql, work, state, ct));
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && state.CanRetry && Dialect.IsRetryable(exception))
            {
                return await state.WaitWhileResponding(RunOnConnection(source, contextSql, work, state, ct));
            }
        });

    // The context SQL is found before the connection is opened, because finding it can need its own connection.
    private async Task<T> RunOnConnection<T>(
        DbDataSource source, Func<ValueTask<ContextSql?>> contextSql, Func<DbConnection, ContextSql?, DatabaseOperation, Task<T>> work,
        DatabaseOperation state, CancellationToken ct)
    {
        var context = await contextSql();
        await using var connection = await source.OpenConnectionAsync(ct);
        try
        {
            return await work(connection, context, state);
        }
        catch (Exception exception)
        {
            Dialect.ResetAfterFailure(connection, exception);
            throw;
        }
    }

    private async Task<T> TranslateErrors<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is not DatabaseUnavailableException && Dialect.Classify(exception) is { } reason)
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
