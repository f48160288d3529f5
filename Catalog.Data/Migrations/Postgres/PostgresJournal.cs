using System.Data;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Engine.Transactions;
using DbUp.Postgresql;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>DbUp's journal, but the migrator writes the row: DbUp writes no checksum, and local time.</summary>
internal sealed class PostgresJournal(
    string schema, Func<IConnectionManager> connections, Func<IUpgradeLog> log, Action<Func<IDbCommand>> store)
    : PostgresqlTableJournal(connections, log, schema, "schemaversions")
{
    // The migrator created the table before.
    protected override bool DoesTableExist(Func<IDbCommand> dbCommandFactory) => true;

    public override void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory) => store(dbCommandFactory);
}
