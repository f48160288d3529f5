using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>What a database holds at one instant, as a backup's manifest says it.</summary>
/// <param name="Name">The database's name; on SQLite the file's.</param>
/// <param name="Version">Of the server or the library.</param>
/// <param name="Revision">The newest applied script without its ending; <c>base</c> when there is none.</param>
/// <param name="Fingerprint">See <see cref="SchemaDescription.Fingerprint"/>.</param>
/// <param name="Rows">The number of rows of each table, the journal's among them; names are written as in a statement.</param>
public sealed record DatabaseContents(string Name, string Version, string Revision, string Fingerprint, IReadOnlyDictionary<string, long> Rows)
{
    /// <summary>Looks now, on a connection of its own.</summary>
    public static async Task<DatabaseContents> Read(MigrationDatabase database, CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        return await Read(connection, null, database.Dialect, database.Reader, ct);
    }

    internal static async Task<DatabaseContents> Read(DbConnection connection, DbTransaction? transaction, SchemaDialect dialect, SchemaReader reader, CancellationToken ct)
    {
        async Task<T?> One<T>(string sql) => await connection.ExecuteScalarAsync<T>(new CommandDefinition(sql, transaction: transaction, commandTimeout: 0, cancellationToken: ct));
        var applied = await Journal.Read(connection, transaction, dialect, ct);
        var rows = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in (await connection.QueryAsync<string>(new CommandDefinition(reader.FindRowTables, transaction: transaction, cancellationToken: ct))).AsList())
        {
            rows[table] = await One<long>($"select count(*) from {table}");
        }

        return new(
            await reader.DatabaseName(connection, ct),
            (await One<string>(reader.FindVersion))!,
            Path.GetFileNameWithoutExtension(applied.Select(row => row.ScriptName).Max(StringComparer.Ordinal)) ?? Chain.Base,
            SchemaDescription.Fingerprint(await reader.DescribeOwn(connection, ct)),
            rows);
    }
}
