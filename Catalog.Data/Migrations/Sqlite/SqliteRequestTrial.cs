using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Migrations.Sqlite;

internal sealed class SqliteRequestTrial : RequestTrial
{
    private static readonly SqliteSchemaDialect Dialect = new();

    // A writer's transaction that is given up: a file or folder that may not be written refuses it.
    internal override async Task Run(DbConnection connection, string? before, CancellationToken ct)
    {
        var file = new SqliteConnectionStringBuilder { DataSource = connection.DataSource, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
        await using var writer = new SqliteConnection(file.ConnectionString);
        try
        {
            await writer.OpenAsync(ct);
            // One by one: the driver keeps silent about what fails behind a statement that returns rows.
            foreach (var statement in new[] { "pragma busy_timeout=0", "begin immediate", "create table readiness (x integer)", "rollback" })
            {
                await Dialect.Execute(writer, null, statement, ct);
            }
        }
        catch (SqliteException exception) when (Dialect.IsLockTimeout(exception))
        {
            // Another connection writes just now, so the file takes writes.
        }
    }
}
