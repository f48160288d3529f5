using System.Data.Common;

namespace Catalog.Data.Migrations.Sqlite;

/// <summary>Drops the tables and views that the scripts created.</summary>
internal static class SqliteDrop
{
    public static async Task Run(SchemaDialect dialect, DbConnection connection, DbTransaction transaction,
        IReadOnlyList<(string Kind, string Name)> objects, CancellationToken ct)
    {
        foreach (var (kind, name) in objects.Where(created => created.Kind is "table" or "view"))
        {
            await dialect.Execute(connection, transaction, $"drop {kind} if exists {name}", ct);
        }
    }
}
