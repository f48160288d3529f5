using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Dapper;

namespace Catalog.Migrations.Distribution;

/// <summary>Where Citus stores the rows of one of the Catalog's tables.</summary>
public sealed record CitusTable
{
    public required string Name { get; init; }

    /// <summary>The column that decides where a row is; <c>-</c> if another rule decides; null if all rows are local.</summary>
    public string? DistributedBy { get; init; }

    /// <summary>The id of the group of tables that are distributed in the same way; null for a local table.</summary>
    public int? Colocation { get; init; }

    /// <summary>The number of parts that the table is divided into; 0 for a local table.</summary>
    public required int Shards { get; init; }

    /// <summary>Whether the table is not distributed yet.</summary>
    public bool IsLocal => DistributedBy is null;

    /// <summary>
    /// Reads the Catalog's tables, with organizations first. Returns null if the database does not have the extension.
    /// </summary>
    /// <param name="connection">An open Postgres connection with the Catalog's search path.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<List<CitusTable>?> ReadAll(DbConnection connection, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<bool>(new CommandDefinition(PostgresCitus.IsInstalled, cancellationToken: ct))
            ? (await connection.QueryAsync<CitusTable>(new CommandDefinition(PostgresCitus.Tables, cancellationToken: ct))).AsList()
            : null;

    /// <summary>
    /// Returns the distributed tables that are distributed by a wrong column, or not in the group of the table
    /// organizations.
    /// </summary>
    public static List<CitusTable> Misplaced(IReadOnlyList<CitusTable> tables)
    {
        var group = tables.FirstOrDefault(table => table.Name == PostgresCitus.FirstTable)?.Colocation;
        return [.. tables.Where(table => !table.IsLocal && (table.DistributedBy != PostgresCitus.Column || table.Colocation != group))];
    }
}
