using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

internal sealed class SqliteSchemaDialect : SchemaDialect
{
    public override string Folder => "sqlite";

    internal override bool Locks => false;

    internal override string CreateJournal => """
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

    internal override string FindRowTables => """
        select case when name glob '*[^a-z0-9_]*' then '"' || replace(name, '"', '""') || '"' else name end
        from sqlite_master
        where type = 'table' and name not like 'sqlite\_%' escape '\'
        order by name
        """;

    internal override string FindVersion => "select sqlite_version()";

    internal override string PreviewNow => "strftime('%Y-%m-%d %H:%M:%f', 'now')";

    internal override string PreviewInstant => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

    internal override async Task MakeJournal(DbConnection connection, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Execute(connection, transaction, CreateJournal, ct);
        var columns = (await connection.QueryAsync<string>(new CommandDefinition("select name from pragma_table_info('schemaversions')", transaction: transaction, cancellationToken: ct))).AsList();
        foreach (var (name, type) in new[] { ("checksum", "text"), ("duration_seconds", "real"), ("applied_by", "text"), ("tool_version", "text") })
        {
            if (!columns.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                await Execute(connection, transaction, $"alter table schemaversions add column {name} {type}", ct);
            }
        }

        await transaction.CommitAsync(ct);
    }

    internal override Task Begin(DbConnection connection, Func<CancellationToken, ValueTask<DbConnection>> another, MigrationLimits limits, CancellationToken ct) =>
        Task.CompletedTask;

    // Each script's immediate transaction is the lock: a second migrator waits for it, then finds the script in the journal.
    internal override Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, Action<string> waiting, CancellationToken ct) =>
        Task.FromResult<IAsyncDisposable?>(new NoLock());

    internal override Task<string?> Holder(DbConnection connection, CancellationToken ct) => Task.FromResult<string?>(null);

    internal override async Task<long> Execute(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        command.CommandTimeout = 0;
        return Math.Max(0, await command.ExecuteNonQueryAsync(ct));
    }

    internal override Task WaitForLocks(DbConnection connection, TimeSpan limit, CancellationToken ct) => Task.CompletedTask;

    internal override bool IsLockTimeout(Exception exception) => exception is SqliteException { SqliteErrorCode: 5 or 6 } or TimeoutException;

    internal override (string Message, int? Position, bool AlreadyExists) Explain(DbException exception) => (
        exception is SqliteException { SqliteErrorCode: var code } ? $"{Said(exception.Message)} ({code})" : exception.Message,
        null,
        exception.Message.Contains("already exists", StringComparison.Ordinal) || exception.Message.Contains("duplicate column", StringComparison.Ordinal));

    // SQLite changes schemas inside transactions only.
    internal override Task<bool?> TookEffect(DbConnection connection, SqlStatement statement, CancellationToken ct) => Task.FromResult<bool?>(null);

    internal override Task<List<string>> Describe(DbConnection connection, DbTransaction? transaction, CancellationToken ct) => SqliteSchemaDescription.Read(connection, ct);

    internal override Task<List<string>> InvalidIndexes(DbConnection connection, CancellationToken ct) => Task.FromResult<List<string>>([]);

    internal override async Task Drop(DbConnection connection, DbTransaction transaction, IReadOnlyList<(string Kind, string Name)> objects, CancellationToken ct)
    {
        // Whatever order the tables go in, no reference is left at the end.
        await Execute(connection, transaction, "pragma defer_foreign_keys=on", ct);
        foreach (var (kind, name) in objects.Where(made => made.Kind is "table" or "view"))
        {
            await Execute(connection, transaction, $"drop {kind} if exists {name}", ct);
        }
    }

    internal override string PreviewOpening(MigrationLimits limits) => "-- Run with: sqlite3 -bail DATABASE < FILE\n";

    internal override string PreviewGuard(string? before, string script) => "";

    internal override string? Grant(string role) => null;

    internal override Task<string> DatabaseName(DbConnection connection, CancellationToken ct) => Task.FromResult(Path.GetFileName(connection.DataSource));

    // "SQLite Error 1: 'table runs already exists'."
    private static string Said(string message) => message.IndexOf('\'', StringComparison.Ordinal) is var from and >= 0 && message.LastIndexOf('\'') is var to && to > from
        ? message[(from + 1)..to]
        : message;

    private sealed class NoLock : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
