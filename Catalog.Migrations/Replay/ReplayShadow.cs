using System.Data.Common;
using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Events;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Replay;

/// <summary>
/// The tables that a replay folds events into. They are separate from the service's tables: in another schema on
/// Postgres, in another file on SQLite. The same scripts create them. They are dropped on disposal.
/// </summary>
internal abstract class ReplayShadow : IAsyncDisposable
{
    /// <summary>The schema by which a connection names the tables of the shadow.</summary>
    public const string Schema = "catalog_replay";

    private readonly CheckResultStore _results;
    private DbConnection? _connection;

    protected ReplayShadow(MigrationDatabase live, MigrationDatabase tables)
    {
        (Live, Tables) = (live, tables);
        _results = new(new CatalogDatabase(tables.Reads, tables.Source, tables.Failures, null));
    }

    protected MigrationDatabase Live { get; }

    protected MigrationDatabase Tables { get; }

    /// <summary>
    /// SQL condition: the id of the check result <c>t</c> is derived from its request hash, so an event reported the
    /// result.
    /// </summary>
    public abstract string ResultOfLog { get; }

    /// <summary>Creates empty tables. First drops the tables that a killed replay left behind.</summary>
    /// <param name="live">The database of the service.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<ReplayShadow> Create(MigrationDatabase live, CancellationToken ct)
    {
        ReplayShadow shadow = live.Settings.Engine == DatabaseEngine.Postgres
            ? new PostgresReplayShadow(live) : new SqliteReplayShadow(live);
        shadow.Claim();
        try
        {
            await shadow.Drop(ct);
            await new Migrator(shadow.Tables, Chain.BuiltIn(live.Dialect.Folder), TimeProvider.System).Upgrade("head", again: false, ct);
            await shadow.DoWithoutLog(ct);
            return shadow;
        }
        catch
        {
            await shadow.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets a connection to the live tables use the tables of the shadow in <see cref="Schema"/>.</summary>
    public abstract Task Attach(DbConnection connection, CancellationToken ct);

    /// <summary>Ends <see cref="Attach"/>, before the connection returns to its pool.</summary>
    public abstract Task Detach(DbConnection connection);

    /// <summary>
    /// Tells the planner how many rows the shadow has. Otherwise it would plan the comparison for empty tables.
    /// </summary>
    public virtual Task Analyze(DbConnection connection, CancellationToken ct) => Task.CompletedTask;

    /// <summary>
    /// Lets the empty tables of the shadow be written without a write-ahead log. A crash of the server may empty them,
    /// and the next replay drops them.
    /// </summary>
    protected virtual Task DoWithoutLog(CancellationToken ct) => Task.CompletedTask;

    /// <summary>Begins a transaction in which all reads see the same state.</summary>
    public abstract Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken ct);

    /// <summary>Begins a transaction during which no other session can store events.</summary>
    public abstract Task<DbTransaction> BeginWrite(DbConnection connection, CancellationToken ct);

    /// <summary>Stores and folds events in the shadow.</summary>
    public async Task Fold(string organization, IReadOnlyList<LoggedEvent> events, CancellationToken ct)
    {
        _connection ??= await Tables.Source.OpenConnectionAsync(ct);
        await using var transaction = await _connection.BeginTransactionAsync(ct);
        var session = new CrossOrganizationSession(_connection, transaction, Tables.Failures, null, new DatabaseOperation(), null);
        await new EventBatch(Tables.Failures, _results, organization, events).Store(session, ct);
        await transaction.CommitAsync(ct);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await (_connection?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Tables.DisposeAsync();
        await Drop(CancellationToken.None);
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// On SQLite, prevents a second replay with a lock file. Does nothing on Postgres, where the lock of the database
    /// prevents a second replay.
    /// </summary>
    /// <exception cref="MigrationException">Another replay is running.</exception>
    protected abstract void Claim();

    protected abstract Task Drop(CancellationToken ct);
}
