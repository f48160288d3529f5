using System.Data;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;
using DbUp.Sqlite;

namespace Catalog.Data.Migrations.Sqlite;

/// <summary>
/// DbUp's journal. The migrator writes its rows, because DbUp writes no checksum and uses local time.
/// </summary>
internal sealed class SqliteJournal(Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store)
    : SqliteTableJournal(connections, log, "schemaversions")
{
    // The migrator has already created the table. DbUp's look-up is case-sensitive and uses the name `SchemaVersions`.
    protected override bool DoesTableExist(Func<IDbCommand> dbCommandFactory) => true;

    public override void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory) => store(dbCommandFactory);
}
