using System.Data.Common;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>Drops the objects that the scripts created.</summary>
internal static class PostgresDrop
{
    public static async Task Run(SchemaDialect dialect, DbConnection connection, DbTransaction transaction,
        IReadOnlyList<(string Kind, string Name)> objects, bool cascade, CancellationToken ct)
    {
        const string Routines = """
            -- PostgresDrop.Run
            select oid::regprocedure::text from pg_proc where pronamespace = current_schema()::regnamespace and proname = any(@names)
            """;

        string[] routines = [.. objects.Where(created => created.Kind is "function" or "procedure")
            .Select(created => created.Name.Trim('"'))];
        foreach (var (kind, name) in objects.Where(created => created.Kind is not ("function" or "procedure")))
        {
            await dialect.Execute(connection, transaction, $"drop {kind} if exists {name}{(cascade ? " cascade" : "")}", ct);
        }

        // Routines are dropped last, because triggers use them. They are dropped by signature, because several routines
        // can have the same name.
        foreach (var routine in await connection.QueryAsync<string>(
            new CommandDefinition(Routines, new { names = routines }, transaction, cancellationToken: ct)))
        {
            await dialect.Execute(connection, transaction, $"drop routine {routine}{(cascade ? " cascade" : "")}", ct);
        }
    }
}
