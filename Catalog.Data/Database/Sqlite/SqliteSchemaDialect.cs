using System.Data.Common;

namespace Catalog.Data.Database.Sqlite;

internal sealed class SqliteSchemaDialect : SchemaDialect
{
    public override string Folder => "sqlite";

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
        )
        """;

    internal override string FindJournal => "select 1 from sqlite_master where type = 'table' and lower(name) = 'schemaversions'";

    // Each script's immediate transaction is the lock: a second migrator waits for it, then finds the script in the journal.
    internal override Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, CancellationToken ct) =>
        Task.FromResult<IAsyncDisposable?>(new NoLock());

    private sealed class NoLock : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
