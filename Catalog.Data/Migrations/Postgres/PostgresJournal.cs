using System.Data;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;
using DbUp.Postgresql;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>
/// DbUp's journal. The migrator writes its rows, because DbUp writes no checksum and uses local time.
/// </summary>
internal sealed class PostgresJournal(
    string schema, Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store)
    : PostgresqlTableJournal(connections, log, schema, "schemaversions")
{
    // The migrator has already created the table.
    protected override bool DoesTableExist(Func<IDbCommand> dbCommandFactory) => true;

    public override void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory) => store(dbCommandFactory);
}
