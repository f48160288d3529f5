using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>A summary of a database's contents at one instant, for the manifest of a backup.</summary>
/// <param name="Name">Name of the database; on SQLite, name of the file.</param>
/// <param name="Version">Version of the server or of the SQLite library.</param>
/// <param name="Revision">Name of the newest applied script without extension; <c>base</c> for none.</param>
/// <param name="Fingerprint">See <see cref="SchemaDescription.Fingerprint"/>.</param>
/// <param name="Rows">Row count of each table, including the journal; names are quoted as in SQL.</param>
public sealed record DatabaseContents(string Name, string Version, string Revision, string Fingerprint,
    IReadOnlyDictionary<string, long> Rows)
{
    /// <summary>Reads the current contents on a new connection.</summary>
    public static async Task<DatabaseContents> Read(MigrationDatabase database, CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        return await Read(connection, null, database.Dialect, database.Reader, ct);
    }

    internal static async Task<DatabaseContents> Read(DbConnection connection, DbTransaction? transaction, SchemaDialect dialect,
        SchemaReader reader, CancellationToken ct)
    {
        async Task<T?> Scalar<T>(string sql) =>
            await connection.ExecuteScalarAsync<T>(
                new CommandDefinition(sql, transaction: transaction, commandTimeout: 0, cancellationToken: ct));
        var applied = await Journal.Read(connection, transaction, dialect, ct);
        var rows = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in (
            await connection.QueryAsync<string>(
                new CommandDefinition(reader.FindRowTables, transaction: transaction, cancellationToken: ct))).AsList())
        {
            rows[table] = await Scalar<long>($"select count(*) from {table}");
        }

        return new(
            await reader.DatabaseName(connection, ct),
            (await Scalar<string>(reader.FindVersion))!,
            Path.GetFileNameWithoutExtension(applied.Select(row => row.ScriptName).Max(StringComparer.Ordinal)) ?? Chain.Base,
            SchemaDescription.Fingerprint(await reader.DescribeOwn(connection, ct)),
            rows);
    }
}
