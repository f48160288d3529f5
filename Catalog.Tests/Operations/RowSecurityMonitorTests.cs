using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Grants;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Operations;

/// <summary>A service whose database stops enforcing row-level security, or takes away its role.</summary>
public sealed class RowSecurityMonitorTests : IClassFixture<PostgresTestDatabase>
{
    private readonly PostgresTestDatabase _database;

    public RowSecurityMonitorTests(PostgresTestDatabase database)
    {
        _database = database;
        database.Require();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_that_loses_its_role_refuses_requests()
    {
        var (role, login) = (DedicatedPostgres.Name("r"), DedicatedPostgres.Name("u"));
        var address = await PostgresTestDatabase.AtHead("catalog_role", superuser: true);
        await DedicatedPostgres.Execute(address, $"create role {login} login password '{login}'");
        await using (var owner = MigrationDatabase.Open(TestDatabase.Read(address)))
        {
            await PostgresRoleGrant.Run(owner, role, login, Ct);
        }

        using var app = new CatalogApp(new DatabaseAtAddress(DedicatedPostgres.WithUser(address, login)), ("DATAXPIPE_APP_ROLE", role));
        using var client = app.Client();
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);

        await DedicatedPostgres.Execute(address, $"revoke {role} from {login}");

        await (await client.GetAsync("/api/v1/runs/", Ct)).Problem(503, "database_unavailable");
        await WaitUntil((503, 503), client);
        await DedicatedPostgres.Execute(address, $"grant {role} to {login}");
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        await DedicatedPostgres.Execute(address, $"drop owned by {role}", $"drop role {role}", $"drop role {login}");
    }

    [Fact]
    public async Task The_service_warns_only_if_row_level_security_cannot_be_enforced()
    {
        using var warned = new CatalogApp(
            new DatabaseAtAddress(_database.Address), ("DATAXPIPE_APP_ROLE", "nobody_made_this"));
        using var client = warned.Client();
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.Contains(warned.Log.At(LogLevel.Warning), line =>
            line.Contains("the role nobody_made_this does not exist", StringComparison.Ordinal));

        using var held = new CatalogApp(_database, ("DATAXPIPE_REQUIRE_RLS", "true"));
        using var servedClient = held.Client();
        Assert.Equal(200, (int)(await servedClient.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.Empty(held.Log.At(LogLevel.Warning));
    }

    [Theory]
    [InlineData("alter table runs disable row level security")]
    [InlineData("drop policy organization on runs")]
    [InlineData("create policy everybody on runs using (true)")]
    [InlineData("drop policy organization on runs; create policy organization on runs using (organization_id <> '')")]
    public async Task A_changed_policy_is_detected(string sabotage)
    {
        var address = await PostgresTestDatabase.AtHead("catalog_open");
        await using (var whole = DatabaseFactory.Open(TestDatabase.Read(address)))
        {
            Assert.True((await whole.Isolation(Ct))!.IsEnforced);
        }

        await DedicatedPostgres.Execute(address, sabotage);

        await using var open = DatabaseFactory.Open(TestDatabase.Read(address));
        var isolation = await open.Isolation(Ct);
        Assert.False(isolation!.IsEnforced);
        Assert.Contains("on runs", isolation.Description, StringComparison.Ordinal);
        if (!sabotage.Contains("<>", StringComparison.Ordinal))
        {
            Assert.Contains("row_security_off", (await MigratorConsole.Run(address, "doctor", "--json")).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Requests_are_refused_while_required_row_level_security_is_off()
    {
        var open = await PostgresTestDatabase.AtHead("catalog_ceases");
        var above = await PostgresTestDatabase.AtHead("catalog_above", superuser: true);
        var (role, login, itself) = (DedicatedPostgres.Name("r"), DedicatedPostgres.Name("u"), DedicatedPostgres.Name("v"));
        // The login must switch to the role. The other login, `itself`, is its own role.
        await DedicatedPostgres.Execute(above, $"create role {login} login noinherit password '{login}'",
            $"create role {itself} login password '{itself}'");
        await using (var owner = MigrationDatabase.Open(TestDatabase.Read(above)))
        {
            await PostgresRoleGrant.Run(owner, role, login, Ct);
            await PostgresRoleGrant.Run(owner, itself, itself, Ct);
        }

        // The service reads the schema version as its login.
        await DedicatedPostgres.Execute(above, $"grant select on schemaversions to {login}");

        // In parallel, because each service checks only every six seconds.
        await Task.WhenAll(
            CheckLossAndRecovery(open, null, open, "alter table runs disable row level security",
                "alter table runs enable row level security", "on runs"),
            CheckLossAndRecovery(DedicatedPostgres.WithUser(above, login), role, above, $"alter role {role} bypassrls",
                $"alter role {role} nobypassrls", $"the role {role} has BYPASSRLS"),
            CheckLossAndRecovery(DedicatedPostgres.WithUser(above, itself), itself, above, $"alter role {itself} bypassrls",
                $"alter role {itself} nobypassrls", $"the role {itself} has BYPASSRLS"),
            CheckPreparedStatements(above));
        await DedicatedPostgres.Execute(above, $"drop owned by {role}, {login}, {itself}", $"drop role {role}, {login}, {itself}");
    }

    private static async Task CheckLossAndRecovery(string service, string? role, string administrator, string sabotage, string fix,
        string words)
    {
        using var app = new CatalogApp(new DatabaseAtAddress(service), [("DATAXPIPE_REQUIRE_RLS", "true"), .. role is null
            ? [] : new[] { ("DATAXPIPE_APP_ROLE", role) }]);
        using var client = app.Client();
        Assert.Equal((200, 200), await StatusesOf(client));

        await DedicatedPostgres.Execute(administrator, sabotage);
        await WaitUntil((503, 503), client);
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.Contains(words, StringComparison.Ordinal));
        await DedicatedPostgres.Execute(administrator, fix);
        await WaitUntil((200, 200), client);
    }

    // The server keeps the plan of a statement that was prepared without row-level security. That plan must not be used
    // when row-level security applies to the role again.
    private static async Task CheckPreparedStatements(string administrator)
    {
        var role = DedicatedPostgres.Name("w");
        await DedicatedPostgres.Execute(administrator, $"create role {role} login password '{role}'");
        await using (var owner = MigrationDatabase.Open(TestDatabase.Read(administrator)))
        {
            await PostgresRoleGrant.Run(owner, role, role, Ct);
        }

        await DedicatedPostgres.Execute(
            administrator,
            "insert into organizations (organization_id, name, plan, created_at, updated_at) values ('a', 'a', 'free', now(), "
                + "now()), ('b', 'b', 'free', now(), now())");
        await using var database = DatabaseFactory.Open(TestDatabase.Read(DedicatedPostgres.WithUser(administrator, role)));
        async Task<int> Seen() => (await database.Many<string>("a", "select organization_id from organizations", null, Ct)).Count;
        async Task WaitUntil(bool held)
        {
            for (var until = Environment.TickCount64 + 20_000; (await database.Isolation(Ct))!.IsEnforced != held; await Task.Delay(
                250, Ct))
            {
                Assert.True(Environment.TickCount64 < until);
            }
        }

        await WaitUntil(held: true);
        await DedicatedPostgres.Execute(administrator, $"alter role {role} bypassrls");
        await WaitUntil(held: false);
        // The third execution uses the prepared statement.
        Assert.Equal((2, 2, 2), (await Seen(), await Seen(), await Seen()));
        await DedicatedPostgres.Execute(administrator, $"alter role {role} nobypassrls");
        await WaitUntil(held: true);
        Assert.Equal(1, await Seen());
        await DedicatedPostgres.Execute(administrator, $"drop owned by {role}", $"drop role {role}");
    }

    private static async Task<(int, int)> StatusesOf(HttpClient client) =>
        ((int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode, (int)(await client.GetAsync("/ready", Ct)).StatusCode);

    private static async Task WaitUntil((int, int) expected, HttpClient client)
    {
        var until = Environment.TickCount64 + 20_000;
        while (await StatusesOf(client) is var statuses && statuses != expected)
        {
            Assert.True(Environment.TickCount64 < until, $"{statuses}, not {expected}");
            await Task.Delay(500, Ct);
        }
    }
}
