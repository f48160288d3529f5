using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Distribution;
using Dapper;

namespace Catalog.Tests.Support;

/// <summary>
/// Citus on the shared server. Its extension is in no package registry, so tests of it are skipped unless the server of POSTGRES_DSN
/// offers it. If the database that it names has the extension, the databases of all
/// tests are distributed.
/// </summary>
public static class CitusServer
{
    /// <summary>Test constructors call this: without the extension, tests are skipped, in CI too.</summary>
    public static async Task Require() => Assert.SkipWhen(
        PostgresServer.Shared.Unavailable is not null || !await Scalar<bool>(
            PostgresServer.Shared.Uri, "exists (select from pg_available_extensions where name = 'citus') "
                + "and current_setting('shared_preload_libraries') like '%citus%'"),
        "The Postgres server does not offer the extension citus. POSTGRES_DSN can name one that does, with "
            + "shared_preload_libraries=citus.");

    /// <summary>
    /// A new database with the schema at head whose coordinator is its only worker. Rows are reached through connections, as on another
    /// server, if <c>citus.enable_local_execution</c> is off.
    /// </summary>
    /// <returns>Its address as a superuser.</returns>
    public static async Task<string> AtHead()
    {
        var address = await PostgresTestDatabase.Empty("catalog_citus", superuser: true);
        await Install(address);
        await DedicatedPostgres.Execute(
            address, $"alter database {new Uri(address).AbsolutePath.TrimStart('/')} set citus.enable_local_execution = off");
        await TestDatabase.Migrate(address);
        return address;
    }

    /// <summary>
    /// Distributes a template's tables if the database of POSTGRES_DSN has the extension, and ends Citus's connection to the template, so
    /// that it can be copied.
    /// </summary>
    public static async Task DistributeTemplate(string address, string name)
    {
        if (!await IsInstalled(PostgresServer.Shared.Uri))
        {
            return;
        }

        await Install(PostgresTestDatabase.AddressOf(name));
        await using (var database = MigrationDatabase.Open(TestDatabase.Read(address)))
        {
            var migrator = new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System);
            await new CitusDistribution(database, migrator).Apply(4, CancellationToken.None);
        }

        await PostgresTestDatabase.Execute($"alter database {name} with allow_connections false");
        await PostgresTestDatabase.Execute($"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    }

    private static Task Install(string address) => DedicatedPostgres.Execute(address,
        "create extension citus",
        $"select citus_set_coordinator_host('{new Uri(address).Host}', {new Uri(address).Port})",
        "select citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) from pg_dist_node",
        $"do $$ begin if exists (select from pg_roles where rolname = '{DatabaseSettings.DefaultAppRole}') then "
            + $"alter role {DatabaseSettings.DefaultAppRole} login; end if; end $$");

    /// <summary>Whether a database has the extension.</summary>
    public static async Task<bool> IsInstalled(string address) => TestDatabase.Read(address).Engine == DatabaseEngine.Postgres
        && await Scalar<bool>(address, "exists (select from pg_extension where extname = 'citus')");

    private static async Task<T> Scalar<T>(string address, string expression)
    {
        await using var connection = await DedicatedPostgres.Open(address);
        return (await connection.ExecuteScalarAsync<T>($"select {expression}"))!;
    }
}
