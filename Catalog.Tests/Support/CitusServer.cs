using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Distribution;
using Dapper;

namespace Catalog.Tests.Support;

/// <summary>
/// Citus on the shared server. The extension is in no package registry, so the tests of Citus are skipped unless the
/// server at POSTGRES_DSN offers it. If the database of POSTGRES_DSN has the extension, the template databases are
/// distributed, and so are the databases that tests copy from them.
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
    /// Creates a database with the schema at head. Its coordinator is its only worker.
    /// <c>citus.enable_local_execution</c> is off, so statements reach the rows through connections, as they reach the
    /// rows of a separate worker.
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
    /// Distributes the tables of a template if the database of POSTGRES_DSN has the extension. Then it ends the
    /// connection that Citus keeps to the template, because Postgres does not copy a database with connections.
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
