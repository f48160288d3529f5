using System.Data;
using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Replay;

/// <summary>A shadow in a schema of the service's database.</summary>
internal sealed class PostgresReplayShadow(MigrationDatabase live)
    : ReplayShadow(live, MigrationDatabase.Open(live.Settings.InSchema(Schema)))
{
    public override string ResultOfLog => "t.id = encode(substring(t.request_hash for 16), 'hex')::uuid::text";

    public override Task Attach(DbConnection connection, CancellationToken ct) => Task.CompletedTask;

    public override Task Detach(DbConnection connection) => Task.CompletedTask;

    public override Task Analyze(DbConnection connection, CancellationToken ct) => ForEachTable(connection, "analyze %I.%I", ct);

    protected override async Task DoWithoutLog(CancellationToken ct)
    {
        await using var connection = await Live.Source.OpenConnectionAsync(ct);
        await ForEachTable(connection, "alter table %I.%I set unlogged", ct);
    }

    private static async Task ForEachTable(DbConnection connection, string statement, CancellationToken ct)
    {
        const string Sql = "select format(@statement, schemaname, tablename) from pg_tables where schemaname = @Schema";

        foreach (var sql in await connection.QueryAsync<string>(new CommandDefinition(
            Sql, new { statement, Schema }, cancellationToken: ct)))
        {
            await connection.ExecuteAsync(new CommandDefinition(sql, commandTimeout: 0, cancellationToken: ct));
        }
    }

    public override async Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken ct) =>
        await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);

    public override async Task<DbTransaction> BeginWrite(DbConnection connection, CancellationToken ct)
    {
        var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "set local lock_timeout = '10s'; lock table lineage_events in share row exclusive mode; set local lock_timeout = 0",
            transaction: transaction, cancellationToken: ct));
        return transaction;
    }

    protected override void Claim()
    {
    }

    protected override async Task Drop(CancellationToken ct)
    {
        await using var connection = await Live.Source.OpenConnectionAsync(ct);
        await Live.Dialect.Execute(connection, null, $"drop schema if exists {Schema} cascade", ct);
    }
}
