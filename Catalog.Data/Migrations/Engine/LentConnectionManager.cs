using System.Data.Common;
using DbUp.Engine.Transactions;

namespace Catalog.Data.Migrations.Engine;

/// <summary>Hands DbUp the migrator's connection and the statements of one file, each as it is written.</summary>
internal sealed class LentConnectionManager(DbConnection connection, SqlFile file)
    : DatabaseConnectionManager(_ => new LentConnection(connection))
{
    // DbUp's own splitters break `begin atomic` bodies (Postgres) and cut only at lines that hold nothing but `;` (SQLite).
    public override IEnumerable<string> SplitScriptIntoCommands(string scriptContents) => file.Statements.Select(statement => statement.Sql);
}
