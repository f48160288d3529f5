using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Migrations;

/// <summary>Databases that must not be migrated, each refused before anything is written.</summary>
public sealed class RefusedDatabaseTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("transaction", 20)]
    [InlineData("transaction", 1)]
    [InlineData("statement", 20)]
    public async Task A_pooler_in_transaction_or_statement_mode_is_refused(string mode, int poolSize)
    {
        server.Require();
        Pooler.Require();
        var address = await PostgresTestDatabase.Empty("catalog_pooled");
        using var pooler = new Pooler(mode, poolSize);

        var refused = await MigratorConsole.Run(pooler.Through(address), "upgrade");

        Assert.Equal(1, refused.Exit);
        Assert.Contains("A pooler in transaction mode is in front of", refused.Errors);
        Assert.Equal("base", (await MigratorConsole.Run(address, "current", "--json")).Json.GetProperty("current").GetString());
        // Reading takes no lock and changes no setting, so it works through a pooler in transaction mode.
        Assert.Equal(mode == "statement"
            ? 1 : 3, (await MigratorConsole.Run(pooler.Through(address), mode == "statement" ? "upgrade" : "current")).Exit);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1)]
    public async Task A_pooler_in_session_mode_is_accepted(int poolSize)
    {
        server.Require();
        Pooler.Require();
        var address = await PostgresTestDatabase.Empty("catalog_pooled");
        using var pooler = new Pooler("session", poolSize);

        var result = await MigratorConsole.Run(pooler.Through(address), "upgrade");

        Assert.True(result.Exit == 0, result.ToString());
    }

    [Fact]
    public async Task A_standby_is_refused()
    {
        server.Require();
        using var standby = PostgresCluster.Start(fsync: false).Require();
        standby.Stop();
        standby.BeginAsStandby();

        var refused = await MigratorConsole.Run(standby.Uri, "upgrade", "--json");

        Assert.Equal(1, refused.Exit);
        Assert.Equal("wrong_target", refused.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains("standby", refused.Errors);
        Assert.Equal(3, (await MigratorConsole.Run(standby.Uri, "current")).Exit);
    }

    [Fact]
    public async Task Read_only_transactions_and_other_encodings_are_refused()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_read_only");
        var name = new Uri(address).AbsolutePath.Trim('/');
        await PostgresTestDatabase.Execute($"alter database {name} set default_transaction_read_only = on");
        var refused = await MigratorConsole.Run(address, "upgrade");
        Assert.Equal((1, true), (refused.Exit, refused.Errors.Contains("read-only", StringComparison.Ordinal)));
        await PostgresTestDatabase.Execute($"alter database {name} reset default_transaction_read_only");

        await PostgresTestDatabase.Execute($"create database {name}_latin encoding 'LATIN1' locale 'C' template template0");
        try
        {
            foreach (var arguments in new string[][] { ["upgrade"], ["verify"], ["current"], ["history"], ["stamp", "head"],
                ["wait", "--head"], ["backup", "--output", Path.GetTempPath()], ["doctor"], ["grant"], ["retention", "--dry-run"],
                ["verify", "--print"] })
            {
                refused = await MigratorConsole.Run(PostgresTestDatabase.AddressOf(name + "_latin"), arguments);
                Assert.True(refused.Exit == 1 && (refused.Errors + refused.Output).Contains("encoding is LATIN1", StringComparison.Ordinal),
                    $"{arguments[0]}: {refused}");
            }
        }
        finally
        {
            await PostgresTestDatabase.Execute($"drop database {name}_latin");
        }
    }

    [Fact]
    public async Task A_role_that_may_not_create_is_refused_with_the_setting_to_use()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_owned");
        var role = $"catalog_reader_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} login password 'c4nary-7781'");
        try
        {
            var asReader = new UriBuilder(address) { UserName = role, Password = "c4nary-7781" }.Uri.ToString();
            var refused = await MigratorConsole.Run(asReader, "upgrade");
            Assert.Equal(1, refused.Exit);
            Assert.Contains("DATAXPIPE_MIGRATIONS_DB", refused.Errors);
            Assert.DoesNotContain("c4nary-7781", refused.ToString());
        }
        finally
        {
            await PostgresTestDatabase.Execute($"drop role {role}");
        }
    }

    [Fact]
    public async Task The_settings_of_a_migration_end_with_its_session()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_settings");
        Assert.Equal(0, (await MigratorConsole.Run(address, "upgrade")).Exit);

        await using var connection = new NpgsqlConnection(Data.Database.PostgresUri.Parse("x", address).ConnectionString);
        await connection.OpenAsync(Ct);
        Assert.Equal("0", await connection.ExecuteScalarAsync<string>("show lock_timeout"));
        Assert.Equal(
            0, await connection.ExecuteScalarAsync<int>(
                "select count(*)::int from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where "
                    + "datname = current_database())"));
    }
}
