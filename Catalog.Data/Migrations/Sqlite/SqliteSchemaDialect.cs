using System.Data;
using System.Data.Common;
using Dapper;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;
using DbUp.Sqlite;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Migrations.Sqlite;

internal sealed class SqliteSchemaDialect : SchemaDialect
{
    public override string Folder => "sqlite";

    internal override bool Locks => false;

    internal override string CreateJournalSql => """
        create table if not exists schemaversions (
            schemaversionsid integer primary key autoincrement not null,
            scriptname       text not null,
            applied          datetime not null,
            checksum         text,
            duration_seconds real,
            applied_by       text,
            tool_version     text,
            constraint schemaversions_scriptname_key unique (scriptname)
        );

        create table if not exists schema_history (
            id               integer primary key autoincrement not null,
            scriptname       text not null,
            direction        text not null,
            outcome          text not null,
            at               text not null,
            duration_seconds real,
            applied_by       text,
            host             text,
            tool_version     text,
            message          text
        )
        """;

    internal override string JournalOrder => "rowid";

    internal override string FindJournal => "select 1 from sqlite_master where type = 'table' and lower(name) = 'schemaversions'";

    internal override string FindHistory => "select 1 from sqlite_master where type = 'table' and lower(name) = 'schema_history'";

    internal override string FindTables => """
        select name from sqlite_master
        where type in ('table', 'view') and lower(name) not in ('schemaversions', 'schema_history') and name not like 'sqlite\_%' escape '\'
        order by name
        """;

    internal override async Task CreateJournal(DbConnection connection, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Execute(connection, transaction, CreateJournalSql, ct);
        var columns = (
            await connection.QueryAsync<string>(
                new CommandDefinition("select name from pragma_table_info('schemaversions')", transaction: transaction,
                    cancellationToken: ct))).AsList();
        foreach (var (name, type) in new[] { ("checksum", "text"), ("duration_seconds", "real"), ("applied_by", "text"),
            ("tool_version", "text") })
        {
            if (!columns.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                await Execute(connection, transaction, $"alter table schemaversions add column {name} {type}", ct);
            }
        }

        await transaction.CommitAsync(ct);
    }

    internal override Task BeginSession(DbConnection connection, Func<CancellationToken, ValueTask<DbConnection>> another,
        MigrationLimits limits, CancellationToken ct) =>
        ResetSession(connection, limits, ct);

    // Foreign keys are off while scripts run. To change a table, a script rebuilds it (lang_altertable.html, section
    // 7), and with foreign keys, dropping a parent table would delete its child rows. BeforeCommit finds violations.
    // The pragma applies only to this connection. The next user of the connection sets it again.
    internal override async Task ResetSession(DbConnection connection, MigrationLimits limits, CancellationToken ct) =>
        await Execute(connection, null, "pragma foreign_keys=off", ct);

    internal override async Task<string?> BeforeCommit(DbConnection connection, DbTransaction transaction, CancellationToken ct)
    {
        const string Sql = """
            -- SqliteSchemaDialect.BeforeCommit
            select 'after it, rows of ' || "table" || ' refer to missing rows of ' || parent from pragma_foreign_key_check limit 1
            """;

        return await connection.QueryFirstOrDefaultAsync<string>(
            new CommandDefinition(Sql, transaction: transaction, cancellationToken: ct));
    }

    internal override IJournal Journal(Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store) =>
        new SqliteJournal(connections, log, store);

    internal override ISqlObjectParser ObjectParser { get; } = new SqliteObjectParser();

    // Connections for reading have a pragma that rejects writes, so the transaction does not need to reject them.
    internal override Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken ct) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: true));

    // The immediate transaction of each script is the lock. A second migrator waits for it, and then finds the script
    // in the journal. This method only waits until an immediate transaction can begin.
    internal override async Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan maxWait, Action<string> waiting,
        CancellationToken ct)
    {
        var until = Environment.TickCount64 + (long)maxWait.TotalMilliseconds;
        for (var reported = false; ; reported = true)
        {
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                return new NoLock();
            }
            catch (Exception exception) when (IsLockTimeout(exception))
            {
                if (Environment.TickCount64 > until)
                {
                    return null;
                }

                if (!reported)
                {
                    waiting("another process that is writing to the file");
                }

                await Task.Delay(200, ct);
            }
        }
    }

    internal override Task<string?> Holder(DbConnection connection, CancellationToken ct) => Task.FromResult<string?>(null);

    internal override async Task<long> Execute(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        command.CommandTimeout = 0;
        return Math.Max(0, await command.ExecuteNonQueryAsync(ct));
    }

    internal override Task SetLockTimeout(DbConnection connection, TimeSpan limit, CancellationToken ct) => Task.CompletedTask;

    internal override bool IsLockTimeout(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: 5 or 6 } or TimeoutException;

    public override StatementError Explain(DbException exception) => new(
        exception is SqliteException { SqliteErrorCode: var code } ? $"{MessageOf(exception.Message)} ({code})" : exception.Message,
        null,
        AlreadyExists: exception.Message.Contains("already exists", StringComparison.Ordinal)
            || exception.Message.Contains("duplicate column", StringComparison.Ordinal),
        Missing: exception.Message.Contains("no such", StringComparison.Ordinal),
        NotPermitted: false,
        Final: true);

    // All schema changes of SQLite can run in a transaction.
    internal override Task<bool?> TookEffect(DbConnection connection, SqlStatement statement, CancellationToken ct) =>
        Task.FromResult<bool?>(null);

    internal override string? GrantSql(string role, IEnumerable<string> tables) => null;

    // Returns the inner text of a message such as "SQLite Error 1: 'table runs already exists'."
    private static string MessageOf(string message) => message.IndexOf('\'', StringComparison.Ordinal) is var from and >= 0
        && message.LastIndexOf('\'') is var to && to > from
        ? message[(from + 1)..to]
        : message;

    private sealed class NoLock : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
