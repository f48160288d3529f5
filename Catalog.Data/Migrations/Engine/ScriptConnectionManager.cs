using System.Data.Common;
using DbUp.Engine.Transactions;

namespace Catalog.Data.Migrations.Engine;

/// <summary>Gives DbUp the migrator's connection and the statements of one file, unchanged.</summary>
internal sealed class ScriptConnectionManager(DbConnection connection, SqlFile file)
    : DatabaseConnectionManager(_ => new NonClosingConnection(connection))
{
    // DbUp's splitters break `begin atomic` bodies (Postgres), or split only at lines that contain nothing but `;` (SQLite).
    public override IEnumerable<string> SplitScriptIntoCommands(string scriptContents) =>
        file.Statements.Select(statement => statement.Sql);
}
