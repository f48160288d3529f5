using System.Data.Common;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// The pool of connections that requests use. Each session begins with <see cref="PostgresSession"/>. Behind a pooler in transaction
/// mode no statement is prepared and the session's settings go with each transaction; a pooler is found out at the first
/// connection, or when a prepared statement is missing.
/// </summary>
internal sealed class PostgresPool : DbDataSource
{
    // The driver gives up after 4 s; a statement must not go on for nobody much longer.
    private const string StatementTimeout = "6s";

    private static readonly TimeSpan ReplaceAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndAgain = TimeSpan.FromMilliseconds(100);
    private readonly NpgsqlDataSource _direct;
    private readonly Lazy<NpgsqlDataSource> _pooled;
    private readonly bool _detect;
    private readonly PostgresSession _session;
    private readonly Action<string>? _warn;
    private volatile bool _behindPooler;
    private long _replaced;
    private long _ended;

    /// <param name="settings">The address, the pool's sizes and the limits.</param>
    /// <param name="session">What each session is set to.</param>
    /// <param name="behindPooler">Whether a pooler stands between; null: find out.</param>
    /// <param name="warn">Is told when a pooler is found; null: nobody is.</param>
    public PostgresPool(NpgsqlConnectionStringBuilder settings, PostgresSession session, bool? behindPooler = null, Action<string>? warn = null)
    {
        (_session, _warn, _detect, _behindPooler) = (session, warn, behindPooler is null, behindPooler is true);
        var direct = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "catalog" };
        direct.UsePhysicalConnectionInitializer(
            connection => Begin(connection).GetAwaiter().GetResult(),
            Begin);
        _direct = direct.Build();
        _pooled = new(() => new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(settings.ConnectionString) { MaxAutoPrepare = 0 }.ConnectionString)
        { Name = "catalog-pooled" }.Build());
    }

    /// <inheritdoc />
    public override string ConnectionString => Current.ConnectionString;

    /// <summary>Whether a pooler in transaction mode is known to stand between.</summary>
    public bool IsBehindPooler => _behindPooler;

    /// <summary>What goes before other expressions that set the context of a transaction; empty where each session has it already.</summary>
    public string ForTransaction => _behindPooler ? _session.ForTransaction : "";

    private NpgsqlDataSource Current => _behindPooler ? _pooled.Value : _direct;

    /// <summary>Prepares nothing from now on.</summary>
    /// <returns>False when that is so already.</returns>
    public bool StopPreparing()
    {
        if (_behindPooler)
        {
            return false;
        }

        _behindPooler = true;
        _warn?.Invoke("A pooler in transaction mode stands between the service and Postgres: statements are not prepared any more. "
            + "Set DATAXPIPE_PGBOUNCER=true, so that this holds from the start.");
        return true;
    }

    /// <summary>
    /// Behind a pooler: ends the server's session if it began read-only, at most ten times a second. The pooler would keep it, and
    /// with it a read-only mode that the provider has lifted since. A standby's sessions are left alone.
    /// </summary>
    public void EndReadOnlySession(NpgsqlConnection connection)
    {
        const string Sql = """
            -- PostgresPool.EndReadOnlySession
            select pg_terminate_backend(pg_backend_pid()) where current_setting('transaction_read_only') = 'on' and not pg_is_in_recovery()
            """;

        var last = Volatile.Read(ref _ended);
        if (!_behindPooler || (last != 0 && TimeProvider.System.GetElapsedTime(last) < EndAgain)
            || Interlocked.CompareExchange(ref _ended, TimeProvider.System.GetTimestamp(), last) != last)
        {
            return;
        }

        try
        {
            using var command = new NpgsqlCommand(Sql, connection) { CommandTimeout = 1 };
            command.ExecuteNonQuery();
        }
        catch (Exception ended) when (ended is NpgsqlException or InvalidOperationException)
        {
            // The session has ended before it could answer.
        }
    }

    /// <summary>Closes idle connections now and busy ones when they come back, at most once a second.</summary>
    /// <returns>Whether it did.</returns>
    public bool Replace()
    {
        var last = Volatile.Read(ref _replaced);
        if ((last != 0 && TimeProvider.System.GetElapsedTime(last) < ReplaceAgain)
            || Interlocked.CompareExchange(ref _replaced, TimeProvider.System.GetTimestamp(), last) != last)
        {
            return false;
        }

        Clear();
        return true;
    }

    /// <summary>Closes idle connections now and busy ones when they come back.</summary>
    public void Clear() => Current.Clear();

    /// <inheritdoc />
    protected override DbConnection CreateDbConnection() => Current.CreateConnection();

    /// <inheritdoc />
    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var source = Current;
            var connection = await source.OpenConnectionAsync(cancellationToken);
            if (!_behindPooler || source != _direct)
            {
                return connection;
            }

            // The pooler was found out while this connection was opened.
            await connection.DisposeAsync();
            return await _pooled.Value.OpenConnectionAsync(cancellationToken);
        }
        // A server may refuse a session for many reasons, such as an option that it does not know.
        catch (PostgresException refusal) when (PostgresDialect.WhyUnavailable(refusal.SqlState) is null)
        {
            throw new DatabaseUnavailableException(Unavailability.SessionRefused, refusal);
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        _direct.Dispose();
        if (_pooled.IsValueCreated)
        {
            _pooled.Value.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc />
    protected override async ValueTask DisposeAsyncCore()
    {
        await _direct.DisposeAsync();
        if (_pooled.IsValueCreated)
        {
            await _pooled.Value.DisposeAsync();
        }

        await base.DisposeAsyncCore();
    }

    private async Task Begin(NpgsqlConnection connection)
    {
        if (!await _session.Begin(connection, StatementTimeout, throughPooler: !_detect))
        {
            StopPreparing();
        }
    }
}
