using Catalog.Data.Database;
using Npgsql;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Recognizes the Catalog's own Postgres database, even when a connection reaches it by another address.
/// </summary>
/// <param name="database">The Catalog's database on Postgres.</param>
public sealed class CatalogDatabaseDetector(CatalogDatabase database)
{
    // A server and its replicas have the same identifier. If the user is not allowed to read it, the start time
    // identifies the server, because two servers do not start in the same microsecond.
    private const string SystemSql = "select system_identifier::text from pg_catalog.pg_control_system()";
    private const string PlaceSql =
        "select pg_catalog.current_database()::text as name, pg_catalog.pg_postmaster_start_time()::text as started";

    private string? _system;
    private Place? _place;

    /// <summary>Whether a connection leads to the Catalog's own database.</summary>
    internal async Task<bool> Is(NpgsqlConnection connection, CancellationToken ct)
    {
        var own = _place ??= (await database.One<Place>("default", PlaceSql, null, ct))!;
        // The start time changes when the server restarts, so it is read again below for each comparison.
        if (await Scalar(connection, "select pg_catalog.current_database()::text", ct) != own.Name)
        {
            return false;
        }

        _system ??= await OwnSystem(ct);
        return await Scalar(connection, SystemSql, ct) is { } system && _system is not null
            ? system == _system
            : await Scalar(connection, "select pg_catalog.pg_postmaster_start_time()::text", ct)
                == (await database.One<Place>("default", PlaceSql, null, ct))!.Started;
    }

    private async Task<string?> OwnSystem(CancellationToken ct)
    {
        try
        {
            return await database.One<string>("default", SystemSql, null, ct);
        }
        catch (PostgresException)
        {
            return null;
        }
    }

    // Null when the server does not have the function, or the user is not allowed to call it.
    private static async Task<string?> Scalar(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        try
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync(ct) as string;
        }
        catch (PostgresException)
        {
            return null;
        }
    }

    private sealed record Place(string Name, string Started);
}
