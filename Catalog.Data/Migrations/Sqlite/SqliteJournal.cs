using System.Data;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;
using DbUp.Sqlite;

namespace Catalog.Data.Migrations.Sqlite;

/// <summary>DbUp's journal, but the migrator writes the row: DbUp writes no checksum, and local time.</summary>
internal sealed class SqliteJournal(Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store)
    : SqliteTableJournal(connections, log, "schemaversions")
{
    // The migrator created the table before. DbUp's lookup is case-sensitive, and its default name is `SchemaVersions`.
    protected override bool DoesTableExist(Func<IDbCommand> dbCommandFactory) => true;

    public override void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory) => store(dbCommandFactory);
}
