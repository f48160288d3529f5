using System.Data.Common;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// The pool of request connections. Each session starts with the settings of <see cref="PostgresSession"/>. Behind a
/// pooler in transaction mode no statement is prepared, and the settings are sent with each transaction. The pooler is
/// detected at the first connection, or when a prepared statement is missing.
/// </summary>
internal sealed class PostgresPool : DbDataSource
{
    // The driver stops waiting after 4 s; the server should not continue the statement much longer.
    private const string StatementTimeout = "6s";

    private static readonly TimeSpan ClearInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndInterval = TimeSpan.FromMilliseconds(100);
    private readonly NpgsqlDataSource _direct;
    private readonly Lazy<NpgsqlDataSource> _pooled;
    private readonly bool _detectPooler;
    private readonly PostgresSession _session;
    private readonly Action<string>? _warn;
    private volatile bool _behindPooler;
    private long _lastCleared;
    private long _lastEnded;

    /// <param name="settings">The address, the pool sizes and the time limits.</param>
    /// <param name="session">The settings of each session.</param>
    /// <param name="behindPooler">Whether a pooler in transaction mode is used; null to detect it.</param>
    /// <param name="warn">Called when a pooler is detected; null to disable.</param>
    public PostgresPool(NpgsqlConnectionStringBuilder settings, PostgresSession session, bool? behindPooler = null,
        Action<string>? warn = null)
    {
        (_session, _warn, _detectPooler, _behindPooler) = (session, warn, behindPooler is null, behindPooler is true);
        var direct = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "catalog" };
        direct.UsePhysicalConnectionInitializer(
            connection => Begin(connection).GetAwaiter().GetResult(),
            Begin);
        _direct = direct.ConfigureTracing(PostgresTracing.Own).Build();
        _pooled = new(() => new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(settings.ConnectionString) { MaxAutoPrepare = 0 }.ConnectionString)
        { Name = "catalog-pooled" }.ConfigureTracing(PostgresTracing.Own).Build());
    }

    /// <inheritdoc />
    public override string ConnectionString => Current.ConnectionString;

    /// <summary>Whether a pooler in transaction mode is known to be in use.</summary>
    public bool IsBehindPooler => _behindPooler;

    /// <summary>
    /// Select-list expressions that apply the session settings to one transaction; empty without a pooler, because then
    /// each session has them.
    /// </summary>
    public string ForTransaction => _behindPooler ? _session.ForTransaction : "";

    private NpgsqlDataSource Current => _behindPooler ? _pooled.Value : _direct;

    /// <summary>Stops preparing statements.</summary>
    /// <returns>False when preparing was already stopped.</returns>
    public bool StopPreparing()
    {
        if (_behindPooler)
        {
            return false;
        }

        _behindPooler = true;
        _warn?.Invoke("A pooler in transaction mode is between the service and Postgres: statements are no longer prepared. "
            + "Set DATAXPIPE_PGBOUNCER=true to disable them from the start.");
        return true;
    }

    /// <summary>
    /// Behind a pooler, ends a server session that started in read-only mode. Otherwise the pooler would keep using
    /// this session after the provider has ended that mode. It ends at most ten sessions a second, and never the
    /// session of a standby.
    /// </summary>
    public void EndReadOnlySession(NpgsqlConnection connection)
    {
        const string Sql = """
            -- PostgresPool.EndReadOnlySession
            select pg_terminate_backend(pg_backend_pid()) where current_setting('transaction_read_only') = 'on' and not pg_is_in_recovery()
            """;

        var last = Volatile.Read(ref _lastEnded);
        if (!_behindPooler || (last != 0 && TimeProvider.System.GetElapsedTime(last) < EndInterval)
            || Interlocked.CompareExchange(ref _lastEnded, TimeProvider.System.GetTimestamp(), last) != last)
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
            // The session ended before it could answer.
        }
    }

    /// <summary>Like <see cref="Clear"/>, but at most once a second.</summary>
    /// <returns>False when the pool was cleared less than a second ago.</returns>
    public bool ClearThrottled()
    {
        var last = Volatile.Read(ref _lastCleared);
        if ((last != 0 && TimeProvider.System.GetElapsedTime(last) < ClearInterval)
            || Interlocked.CompareExchange(ref _lastCleared, TimeProvider.System.GetTimestamp(), last) != last)
        {
            return false;
        }

        Clear();
        return true;
    }

    /// <summary>Closes idle connections now and busy connections when they are returned.</summary>
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

            // The pooler was detected while this connection was opened.
            await connection.DisposeAsync();
            return await _pooled.Value.OpenConnectionAsync(cancellationToken);
        }
        // A server can reject a session for many reasons, such as an unknown option.
        catch (PostgresException refusal) when (PostgresDialect.Classify(refusal.SqlState) is null)
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
        if (!await _session.ApplySettings(connection, StatementTimeout, throughPooler: !_detectPooler))
        {
            StopPreparing();
        }
    }
}
