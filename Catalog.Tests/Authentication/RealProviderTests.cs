using System.Net.Http.Headers;
using System.Text;
using Catalog.Tests.Support;

namespace Catalog.Tests.Authentication;

/// <summary>
/// Tokens of a certified third-party provider, as a check that is independent of our own test provider.
/// </summary>
[Trait("Category", "Npm")]
public sealed class RealProviderTests(RealProvider provider, SqliteTestDatabase database) : IClassFixture<RealProvider>,
    IClassFixture<SqliteTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tokens_of_a_real_provider_are_accepted_with_their_scopes()
    {
        using var app = new CatalogApp(
            database, ("DATAXPIPE_OIDC_AUTHORITY", provider.Authority), ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience));
        using var owner = await app.Organization("certified");
        using var client = app.Anonymous();
        foreach (var algorithm in new[] { "RS256", "PS256", "ES256" })
        {
            await CheckTokens(client, provider.Authority, algorithm);
        }
    }

    private static async Task CheckTokens(HttpClient client, string authority, string algorithm)
    {
        var pipeline = $$"""{"name":"p{{Guid.NewGuid():N}}"}""";
        var readToken = await Token(authority, algorithm, Issuer.Audience, "read");
        Assert.Contains($"\"alg\":\"{algorithm}\"",
            Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(readToken.Split('.')[0])), StringComparison.Ordinal);

        Assert.Equal(200, (int)(await client.With(readToken)).StatusCode);
        await (await client.With(readToken, HttpMethod.Post, json: pipeline)).Problem(403, "forbidden");
        var writeToken = await Token(authority, algorithm, Issuer.Audience, "read write");
        Assert.Equal(201, (int)(await client.With(writeToken, HttpMethod.Post, json: pipeline)).StatusCode);

        var tampered = Authentication.Token.With(readToken, 1, _ => writeToken.Split('.')[1]);
        await (await client.With(tampered)).Problem(401, "unauthorized");
        var otherAudience = await Token(authority, algorithm, "https://billing.example", "read");
        await (await client.With(otherAudience)).Problem(401, "unauthorized");
    }

    private static async Task<string> Token(string authority, string algorithm, string resource, string scope)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, authority + "/token")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("resource", resource), new("scope", scope)]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{algorithm}:secret-of-{algorithm}")));
        using var answer = await http.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return (await answer.Json()).GetProperty("access_token").GetString()!;
    }
}
