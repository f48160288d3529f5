using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Migrations.Replay;

/// <summary>A shadow in a file next to the service's file.</summary>
internal sealed class SqliteReplayShadow(MigrationDatabase live)
    : ReplayShadow(live, MigrationDatabase.Open(DatabaseSettings.OfFile($"{live.Settings.SqlitePath}.replay")))
{
    private FileStream? _claim;

    public override string ResultOfLog => """
        t.id = lower(substr(hex(t.request_hash), 1, 8) || '-' || substr(hex(t.request_hash), 9, 4) || '-'
            || substr(hex(t.request_hash), 13, 4) || '-' || substr(hex(t.request_hash), 17, 4) || '-'
            || substr(hex(t.request_hash), 21, 12))
        """;

    public override Task Attach(DbConnection connection, CancellationToken ct) => connection.ExecuteAsync(new CommandDefinition(
        $"attach database @path as {Schema}", new { path = Tables.Settings.SqlitePath }, cancellationToken: ct));

    public override Task Detach(DbConnection connection) => connection.ExecuteAsync($"detach database {Schema}");

    public override async Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken ct) =>
        await Begin(connection, "select 1 from lineage_events limit 1", ct);

    // The first write locks only the live file, so that the shadow can still be written.
    public override async Task<DbTransaction> BeginWrite(DbConnection connection, CancellationToken ct) =>
        await Begin(connection, "delete from lineage_events where false", ct);

    protected override void Claim()
    {
        try
        {
            _claim = new FileStream($"{Tables.Settings.SqlitePath}-lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
        }
        catch (IOException exception)
        {
            throw new MigrationException(MigrationFault.LockNotObtained,
                "Another replay of this file is running. Run this again when it has finished.", exception);
        }
    }

    protected override Task Drop(CancellationToken ct)
    {
        SqliteConnection.ClearAllPools();
        foreach (var suffix in new[] { "", "-wal", "-shm" })
        {
            File.Delete($"{Tables.Settings.SqlitePath}{suffix}");
        }

        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await (_claim?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static async Task<DbTransaction> Begin(DbConnection connection, string first, CancellationToken ct)
    {
        var transaction = ((SqliteConnection)connection).BeginTransaction(deferred: true);
        await connection.ExecuteAsync(new CommandDefinition(first, transaction: transaction, cancellationToken: ct));
        return transaction;
    }
}
