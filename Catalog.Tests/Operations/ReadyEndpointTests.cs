using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Operations;

/// <summary>
/// The reason that /ready gives if the database refuses the service, is missing, or has another schema.
/// </summary>
public sealed class ReadyEndpointTests(PostgresTestDatabase postgres) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_missing_database_is_named_as_the_reason() =>
        await CheckReason(PostgresTestDatabase.AddressOf("nothing_here"), "no database with this name", "database_unavailable");

    [Fact]
    public async Task A_refused_user_is_named_as_the_reason()
    {
        postgres.Require();
        var refused = new UriBuilder(PostgresTestDatabase.AddressOf("postgres")) { UserName = "nobody_here", Password = "c4nary" };

        await CheckReason(refused.Uri.ToString(), "rejected the user or the password", "database_unavailable");
    }

    [Fact]
    public async Task An_unreachable_server_is_named_as_the_reason() =>
        await CheckReason("postgresql://u:c4nary@127.0.0.1:1/d", "cannot be reached", "database_unavailable");

    [Fact]
    public async Task A_server_without_TLS_is_named_as_the_reason()
    {
        postgres.Require();
        await CheckReason(PostgresTestDatabase.AddressOf("postgres") + "?sslmode=require", "TLS connection", "database_unavailable");
    }

    [Fact]
    public async Task A_role_without_rights_is_named_as_the_reason()
    {
        postgres.Require();
        var role = $"weak_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} login password 'c4nary'");
        var address = new UriBuilder(postgres.Address) { UserName = role, Password = "c4nary" };

        await CheckReason(address.Uri.ToString(), "has no rights on", "database_unavailable");
        await PostgresTestDatabase.Execute($"drop role {role}");
    }

    [Fact]
    [Trait("Fault", "F30")]
    public async Task An_outdated_schema_is_named_as_the_reason()
    {
        postgres.Require();

        await CheckReason(await PostgresTestDatabase.Empty("catalog_behind"), "0001_initial", "schema_behind");
    }

    private static async Task CheckReason(string address, string expected, string code)
    {
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
        await using var database = new OtherDatabase(address);
        using var app = new CatalogApp(database);
        using var client = app.Client();

        var problem = await (await client.GetAsync("/ready", Ct)).Problem(503, "not_ready");
        Assert.Contains(expected, problem.GetProperty("detail").GetString());
        Assert.DoesNotContain("c4nary", problem.GetRawText());
        var answer = await client.GetAsync("/api/v1/runs/", Ct);
        await answer.Problem(503, code);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.NotEmpty(answer.Headers.GetValues("X-Request-Id"));
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health", Ct)).StatusCode);
        Assert.DoesNotContain(app.Log.At(Microsoft.Extensions.Logging.LogLevel.Trace), line =>
            line.Contains("c4nary", StringComparison.Ordinal));
    }

    private sealed class OtherDatabase(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
