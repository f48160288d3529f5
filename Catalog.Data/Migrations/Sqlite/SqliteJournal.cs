using System.Data;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;
using DbUp.Sqlite;

namespace Catalog.Data.Migrations.Sqlite;

/// <summary>DbUp's journal, with a row that the migrator writes: DbUp's own holds no checksum, and its time is local.</summary>
internal sealed class SqliteJournal(Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store)
    : SqliteTableJournal(connections, log, "schemaversions")
{
    // The migrator has made it before. DbUp's look-up minds case, and DbUp's default name is `SchemaVersions`.
    protected override bool DoesTableExist(Func<IDbCommand> dbCommandFactory) => true;

    public override void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory) => store(dbCommandFactory);
}
