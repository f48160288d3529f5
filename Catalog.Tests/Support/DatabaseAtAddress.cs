using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>A database for the service that the test itself creates and removes.</summary>
/// <param name="address">The value of DATAXPIPE_DB.</param>
public sealed class DatabaseAtAddress(string address) : TestDatabase
{
    public override string Address => address;

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Migrates the database of a cluster and creates a login as in production.</summary>
    /// <returns>The address of the login.</returns>
    public static async Task<string> MigratedWithLogin(PostgresCluster server)
    {
        await using (var connection = new NpgsqlConnection(PostgresUri.Parse("server", server.Uri).ConnectionString))
        {
            await connection.ExecuteAsync(
                $"{PostgresGrants.CreateRole(DatabaseSettings.DefaultAppRole)}; create role service login; "
                    + $"{PostgresGrants.GrantMembership(DatabaseSettings.DefaultAppRole, "service")}");
        }

        await Migrate(server.Uri);
        return new UriBuilder(server.Uri) { UserName = "service" }.Uri.ToString();
    }
}
