using System.Data.Common;

namespace Catalog.Data.Migrations.Sqlite;

/// <summary>Drops what the scripts made.</summary>
internal static class SqliteDrop
{
    public static async Task Run(SchemaDialect dialect, DbConnection connection, DbTransaction transaction, IReadOnlyList<(string Kind, string Name)> objects, CancellationToken ct)
    {
        foreach (var (kind, name) in objects.Where(made => made.Kind is "table" or "view"))
        {
            await dialect.Execute(connection, transaction, $"drop {kind} if exists {name}", ct);
        }
    }
}
