using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Authentication;

[Trait("Category", "Fast")]
public sealed class KeyHeaderTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    private const string Path = "/api/v1/pipelines/";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("X-API-KEY", CatalogApp.Key, 200)]
    [InlineData("Authorization", "Bearer " + CatalogApp.Key, 200)]
    [InlineData("Authorization", "bearer " + CatalogApp.Key, 200)]
    [InlineData("X-API-KEY", "platform-key", 200)]
    [InlineData("X-API-KEY", "admin-key", 200)]
    [InlineData("X-API-KEY", "dev-key", 200)]
    [InlineData("X-API-KEY", "", 401)]
    [InlineData("X-API-KEY", "wrong", 401)]
    [InlineData("X-API-KEY", CatalogApp.Key + "x", 401)]
    [InlineData("Authorization", CatalogApp.Key, 401)]
    [InlineData("Authorization", "Basic " + CatalogApp.Key, 401)]
    [InlineData("Authorization", "Bearer", 401)]
    public async Task Keys_are_accepted_or_refused(string header, string value, int status)
    {
        var app = database.SharedService();
        using var client = app.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        request.Headers.TryAddWithoutValidation(header, value);

        var answer = await client.SendAsync(request, Ct);

        Assert.Equal(status, (int)answer.StatusCode);
        if (status == 401)
        {
            await answer.Problem(401, "unauthorized");
            Assert.NotEmpty(answer.Headers.WwwAuthenticate);
        }
    }

    [Fact]
    public async Task A_missing_key_is_401_and_probes_need_no_key()
    {
        var app = database.SharedService();
        using var client = app.Anonymous();

        foreach (var path in new[] { Path, "/pipelines", "/api/v1/runs/x", "/api/v1/checks/results" })
        {
            await (await client.GetAsync(path, Ct)).Problem(401, "unauthorized");
        }

        foreach (var path in new[] { "/health", "/ready", "/version", "/openapi/v1.json" })
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(path, Ct)).StatusCode);
        }
    }

    [Fact]
    public async Task Two_keys_in_one_request_are_refused()
    {
        var app = database.SharedService();
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + CatalogApp.Key);

        await (await client.GetAsync(Path, Ct)).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task The_developer_key_cannot_delete()
    {
        var app = database.SharedService();
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-API-KEY", "dev-key");

        await (await client.DeleteAsync(Path + "x", Ct)).Problem(403, "forbidden");
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "myhost:8000")]
    [InlineData("Host", "192.168.1.5")]
    public async Task Development_keys_are_refused_through_a_proxy_or_another_host_name(string header, string value)
    {
        var app = database.SharedService();
        using var client = app.Anonymous();
        foreach (var key in new[] { ("X-API-KEY", "platform-key"), ("X-API-KEY", "dev-key"), ("Authorization", "Bearer admin-key") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Path);
            request.Headers.Add(key.Item1, key.Item2);
            request.Headers.TryAddWithoutValidation(header, value);

            var problem = await (await client.SendAsync(request, Ct)).Problem(401, "unauthorized");
            Assert.Contains("evelopment keys work on loopback only", problem.GetProperty("detail").GetString());
        }
    }

    [Fact]
    public async Task Development_keys_can_be_turned_off()
    {
        using var app = new CatalogApp(database, ("DATAXPIPE_DEV_KEYS", "false"));
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-API-KEY", "platform-key");

        await (await client.GetAsync(Path, Ct)).Problem(401, "unauthorized");
    }
}
