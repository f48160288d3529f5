using System.Data.Common;
using Catalog.Data.Database;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Migrations.Sqlite;

internal sealed class SqliteReadWriteCheck : ReadWriteCheck
{
    private static readonly SqliteSchemaDialect Dialect = new();

    // Begins a write and rolls it back: this fails when the file or folder is write-protected.
    internal override async Task Run(DbConnection connection, ContextSql? contextSql, CancellationToken ct)
    {
        var file = new SqliteConnectionStringBuilder
        {
            DataSource = connection.DataSource,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false
        };
        await using var writer = new SqliteConnection(file.ConnectionString);
        try
        {
            await writer.OpenAsync(ct);
            // The statements are sent one by one, because the driver hides the error of a statement that follows a
            // statement with rows.
            foreach (var statement in new[] { "pragma busy_timeout=0", "begin immediate", "create table readiness (x integer)",
                "rollback" })
            {
                await Dialect.Execute(writer, null, statement, ct);
            }
        }
        catch (SqliteException exception) when (Dialect.IsLockTimeout(exception))
        {
            // Another connection is writing now, so the file is writable.
        }
    }
}
