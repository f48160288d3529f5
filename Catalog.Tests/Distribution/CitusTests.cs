using System.Net;
using Catalog.Data.Database;
using Catalog.Tests.Support;
using Npgsql;

namespace Catalog.Tests.Distribution;

/// <summary>
/// The Catalog on a coordinator of Citus. Statements reach the rows through connections of their own, as on workers.
/// </summary>
public sealed class CitusTests : IAsyncLifetime
{
    private readonly string _role = DedicatedPostgres.Name("r");
    private readonly string _login = DedicatedPostgres.Name("u");
    private string _address = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Service => DedicatedPostgres.WithUser(_address, _login);

    public async ValueTask InitializeAsync()
    {
        await CitusServer.Require();
        _address = await CitusServer.AtHead();
        await DedicatedPostgres.Execute(_address, $"create role {_login} login password '{_login}'");
    }

    public async ValueTask DisposeAsync()
    {
        if (_address.Length > 0)
        {
            await PostgresTestDatabase.Execute(
                $"drop database {new Uri(_address).AbsolutePath.TrimStart('/')} with (force)");
            await PostgresTestDatabase.Execute($"drop role if exists {_role}; drop role if exists {_login}");
        }
    }

    [Fact]
    public async Task Tables_are_distributed_once_and_those_that_were_added_later_too()
    {
        var planned = await Run("distribute", "--dry-run", "--json");
        Assert.Equal(0, await Count("pg_dist_partition where partmethod = 'h'"));
        var applied = await Run("distribute", "apply", "--shards", "4", "--json");
        var tables = applied.Json.GetProperty("distributed").GetArrayLength();
        Assert.Equal((0, 0, tables), (planned.Exit, applied.Exit, planned.Json.GetProperty("distributed").GetArrayLength()));
        Assert.True(tables >= 23);
        Assert.Equal(tables, await Count("pg_dist_partition where partmethod = 'h'"));
        Assert.Equal(1, await DedicatedPostgres.Scalar<long>(_address, "select count(distinct colocationid) from pg_dist_partition"));
        Assert.Contains("nothing to do", (await Run("distribute", "apply")).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await Run("distribute", "apply", "--shards", "8")).Exit);

        await DedicatedPostgres.Execute(_address, "select undistribute_table('ended_sessions')");

        Assert.Contains("distribute apply", (await Run("upgrade")).Errors, StringComparison.Ordinal);
        Assert.Contains("citus_not_distributed", (await Run("doctor")).Output, StringComparison.Ordinal);
        Assert.Equal("ended_sessions", Assert.Single((await Run("distribute", "apply", "--json")).Json.GetProperty("distributed")
            .EnumerateArray()).GetString());
        Assert.Equal(0, (await Run("verify")).Exit);
    }

    [Fact]
    public async Task Rows_from_before_are_distributed_and_a_table_distributed_otherwise_is_refused()
    {
        await DedicatedPostgres.Execute(_address,
            "insert into request_rates (organization_id, tokens, counted_ms) select 'o' || n, 1, 1 from generate_series(1, 50) n");
        await Run("distribute", "apply", "--shards", "4");

        Assert.Equal(50, await Count("request_rates"));
        Assert.Equal(0, await DedicatedPostgres.Scalar<long>(_address, "select pg_relation_size('request_rates')"));

        await DedicatedPostgres.Execute(_address,
            "select undistribute_table('ended_sessions')",
            "select create_distributed_table('ended_sessions', 'id', colocate_with => 'none')");
        var refused = await Run("distribute", "apply", "--json");
        Assert.Equal((4, "drift"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("ended_sessions", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("citus_misplaced", (await Run("doctor")).Output, StringComparison.Ordinal);
    }

    // A login that inherits the role's rights has them even without a switch to the role, so both kinds of login are
    // tested.
    [Theory]
    [InlineData("inherit")]
    [InlineData("noinherit")]
    public async Task Row_security_finds_role_and_organization_where_the_rows_are(string inherits)
    {
        await DistributeAndGrant();
        await DedicatedPostgres.Execute(_address, $"alter role {_login} {inherits}");
        await using var database = DatabaseFactory.Open(
            TestDatabase.Read(Service, ("DATAXPIPE_APP_ROLE", _role), ("DATAXPIPE_REQUIRE_RLS", "true")));
        string[] organizations = ["left", @"o'; drop table runs; --\", @"\'"];
        foreach (var organization in organizations)
        {
            await database.Write(organization, session => session.Execute(
                "insert into ended_sessions (organization_id, id, expires_at) values (@organization, 'i', '2030-01-01Z')",
                new { organization }, Ct), Ct);
        }

        foreach (var organization in organizations)
        {
            // The first statement has no condition on the organization, so only the policy hides the rows of the
            // others.
            Assert.Equal([organization], await database.Many<string>(
                organization, "select organization_id from ended_sessions", null, Ct));
            Assert.Equal([organization], await database.Many<string>(
                organization, "select organization_id from ended_sessions where organization_id = @organization", new { organization },
                Ct));
        }

        Assert.Empty(await database.Many<string>("other", "select organization_id from ended_sessions", null, Ct));
        var refused = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.Write("left", session => session.Execute(
            "insert into ended_sessions (organization_id, id, expires_at) values ('right', 'j', '2030-01-01Z')", null, Ct), Ct));
        Assert.Equal("42501", Assert.IsType<PostgresException>(refused.InnerException).SqlState);
        Assert.Equal(3, await Count("ended_sessions"));
    }

    [Fact]
    public async Task A_connection_is_usable_after_a_failed_statement()
    {
        await DistributeAndGrant();
        await using var database = DatabaseFactory.Open(
            TestDatabase.Read(Service, ("DATAXPIPE_APP_ROLE", _role), ("DATAXPIPE_PG_POOL_MAX", "1")));
        for (var i = 0; i < 8; i++)
        {
            await Assert.ThrowsAsync<PostgresException>(() => database.Many<int>(
                "left", "select 1 / 0 from organizations where organization_id = 'left' union all select 1 / 0", null, Ct));
            Assert.Equal([1], await database.Many<int>("left", "select 1", null, Ct));
        }
    }

    [Fact]
    public async Task The_service_stores_and_lists_for_each_organization()
    {
        await DistributeAndGrant();
        using var app = new CatalogApp(new At(Service), ("DATAXPIPE_APP_ROLE", _role), ("DATAXPIPE_REQUIRE_RLS", "true"));
        foreach (var name in new[] { "left", "right" })
        {
            var client = await app.Organization(name);
            Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "same", owner = name })).StatusCode);
            foreach (var status in new[] { "pass", "fail" })
            {
                Assert.Equal(201, (int)(await client.PostJson(
                    "/api/v1/checks/results", new { pipeline_id = "same", check_id = "c", status, message = name })).StatusCode);
            }

            var results = (await client.GetAsync("/api/v1/checks/results", Ct), await client.GetAsync("/api/v1/pipelines/", Ct));
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (results.Item1.StatusCode, results.Item2.StatusCode));
            Assert.Equal(2, (await results.Item1.Json()).GetProperty("items").GetArrayLength());
        }
    }

    [Fact]
    public async Task Retention_finds_organizations_on_every_worker()
    {
        await DedicatedPostgres.Execute(_address,
            "insert into pipelines (organization_id, id, current_version, search_key, created_at, updated_at, deleted_at) "
                + "select 'o' || n, 'p', '1', 'p', '2020-01-01Z', '2020-01-01Z', '2020-01-01Z' from generate_series(1, 40) n");
        await Run("distribute", "apply", "--shards", "4");

        (string, string)[] days = [("DATAXPIPE_RETENTION_RUNS_DAYS", "30"), ("DATAXPIPE_RETENTION_RESULTS_DAYS", "30")];
        var counted = await MigratorConsole.Run(_address, days, "retention", "--dry-run", "--json");
        var removed = await MigratorConsole.Run(_address, days, "retention", "apply", "--pause", "0.001", "--json");

        Assert.Equal((0, 40), (counted.Exit, counted.Json.GetProperty("items").GetArrayLength()));
        Assert.Equal((0, 40), (removed.Exit, removed.Json.GetProperty("items").GetArrayLength()));
        Assert.Equal(0, await Count("pipelines"));
    }

    [Fact]
    public async Task The_role_may_log_in_after_a_grant_and_the_doctor_reports_one_that_may_not()
    {
        await DistributeAndGrant();
        Assert.True(await DedicatedPostgres.Scalar<bool>(_address, $"select rolcanlogin from pg_roles where rolname = '{_role}'"));
        Assert.DoesNotContain("app_role_cannot_log_in", (await Run("doctor")).Output, StringComparison.Ordinal);

        await DedicatedPostgres.Execute(_address, $"alter role {_role} nologin");

        Assert.Contains("app_role_cannot_log_in", (await Run("doctor")).Output, StringComparison.Ordinal);
        await Run("grant", _role, "--member", _login);
        Assert.True(await DedicatedPostgres.Scalar<bool>(_address, $"select rolcanlogin from pg_roles where rolname = '{_role}'"));
    }

    private async Task DistributeAndGrant()
    {
        Assert.Equal(0, (await Run("grant", _role, "--member", _login)).Exit);
        Assert.Equal(0, (await Run("distribute", "apply", "--shards", "4")).Exit);
    }

    private Task<ConsoleResult> Run(params string[] arguments) =>
        MigratorConsole.Run(_address, [("DATAXPIPE_APP_ROLE", _role)], arguments);

    private Task<long> Count(string from) => DedicatedPostgres.Scalar<long>(_address, $"select count(*) from {from}");

    private sealed class At(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
