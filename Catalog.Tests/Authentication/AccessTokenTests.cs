using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Authentication;

/// <summary>Which tokens the service accepts over HTTP.</summary>
[Trait("Category", "Fast")]
public sealed class AccessTokenTests(SignInApp service) : IClassFixture<SignInApp>
{
    private Issuer Issuer => service.Issuer;

    public static TheoryData<string> Forged => [.. ForgedTokens.Names];

    [Theory]
    [MemberData(nameof(Forged))]
    public async Task A_forged_token_is_refused_like_a_wrong_key_and_its_fault_is_logged(string name)
    {
        Assert.Equal(200, (int)(await service.Client.With(Issuer.CreateToken())).StatusCode);
        var wrongKey = await service.Client.With("wrong");
        var before = service.App.Log.At(LogLevel.Information).Count();

        var answer = await service.Client.With(service.Forged.Make(name));

        Assert.Equal(WithoutTrace(await wrongKey.Problem(401, "unauthorized")), WithoutTrace(await answer.Problem(401, "unauthorized")));
        Assert.Equal(wrongKey.Headers.WwwAuthenticate, answer.Headers.WwwAuthenticate);
        Assert.Contains(service.App.Log.At(LogLevel.Information).Skip(before), line =>
            line.Contains(ForgedTokens.Reason(name), StringComparison.Ordinal));
        Assert.Equal(0, Issuer.OtherRequestCount);
    }

    public static TheoryData<string> Good => [.. GoodTokens.Keys];

    [Theory]
    [MemberData(nameof(Good))]
    public async Task A_valid_token_is_accepted(string name) =>
        Assert.Equal(200, (int)(await service.Client.With(GoodTokens[name](Issuer))).StatusCode);

    [Theory]
    [InlineData("scope", "\"read\"", 200, 403, 403)]
    [InlineData("scope", "\"write\"", 403, 201, 403)]
    [InlineData("scope", "\"openid read write manage\"", 200, 201, 404)]
    [InlineData("scope", "\"Read READ readwrite catalog:read\"", 403, 403, 403)]
    [InlineData("scope", "\"\"", 403, 403, 403)]
    [InlineData("scp", "\"read write\"", 200, 201, 403)]
    [InlineData("scp", "[\"read\",\"manage\"]", 200, 403, 404)]
    [InlineData("none", "1", 403, 403, 403)]
    public async Task Scopes_limit_what_a_token_may_do(string claim, string value, int read, int write, int manage)
    {
        var token = Issuer.CreateToken(payload: payload =>
        {
            payload.Remove("scope");
            payload[claim] = JsonNode.Parse(value);
        });

        Assert.Equal(read, (int)(await service.Client.With(token)).StatusCode);
        Assert.Equal(write, (int)(await service.Client.With(token, HttpMethod.Post, json: $$"""{"name":"p{{Guid.NewGuid():N}}"}"""))
            .StatusCode);
        Assert.Equal(manage, (int)(await service.Client.With(token, HttpMethod.Delete, "/api/v1/pipelines/absent")).StatusCode);
    }

    [Fact]
    public async Task The_organization_comes_from_the_claim_not_from_a_header()
    {
        var name = $"p{Guid.NewGuid():N}";
        using var other = await service.App.Organization("other");
        Assert.Equal(
            201, (int)(await service.Client.With(Issuer.CreateToken(payload: payload => payload["scope"] = "write"), HttpMethod.Post,
                json: $$"""{"name":"{{name}}"}""")).StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/pipelines/{name}");
        request.Headers.Add("Authorization", "Bearer " + Issuer.CreateToken(payload: payload => payload["organization"] = "other"));
        request.Headers.Add("X-Organization", Issuer.Organization);

        await (await service.Client.SendAsync(request, TestContext.Current.CancellationToken)).Problem(404, "not_found");
        Assert.Equal(200, (int)(await service.Client.With(Issuer.CreateToken(), path: $"/api/v1/pipelines/{name}")).StatusCode);
    }

    [Theory]
    [InlineData("nobody-registered-this")]
    [InlineData("DEFAULT")]
    [InlineData("me")]
    public async Task A_token_of_an_unregistered_organization_is_refused(string organization)
    {
        var token = Issuer.CreateToken(payload: payload => payload["organization"] = organization);

        await (await service.Client.With(token)).Problem(403, "organization_unknown");
    }

    [Fact]
    public async Task A_token_is_accepted_only_alone_and_in_the_Authorization_header()
    {
        using var withKey = new HttpRequestMessage(HttpMethod.Get, "/api/v1/pipelines/");
        withKey.Headers.Add("Authorization", "Bearer " + Issuer.CreateToken());
        withKey.Headers.Add("X-API-KEY", CatalogApp.Key);
        using var wrongHeader = new HttpRequestMessage(HttpMethod.Get, "/api/v1/pipelines/");
        wrongHeader.Headers.Add("X-API-KEY", Issuer.CreateToken());

        await (await service.Client.SendAsync(withKey, TestContext.Current.CancellationToken)).Problem(401, "unauthorized");
        await (await service.Client.SendAsync(wrongHeader, TestContext.Current.CancellationToken)).Problem(401, "unauthorized");
        Assert.Equal(200, (int)(await service.Client.With(CatalogApp.Key)).StatusCode);
    }

    private static string WithoutTrace(JsonElement body) =>
        string.Join('\n', body.EnumerateObject().Where(member => member.Name != "trace_id").Select(member => member.ToString()));

    private static readonly Dictionary<string, Func<Issuer, string>> GoodTokens = new()
    {
        ["RS256"] = issuer => issuer.CreateToken(),
        ["PS256"] = issuer => issuer.CreateToken(algorithm: "PS256"),
        ["ES256"] = issuer => issuer.CreateToken(issuer.Elliptic, "ES256"),
        ["typ absent"] = issuer => issuer.CreateToken(header: header => header["typ"] = null),
        ["typ JWT"] = issuer => issuer.CreateToken(header: header => header["typ"] = "JWT"),
        ["typ in another case"] = issuer => issuer.CreateToken(header: header => header["typ"] = "AT+JWT"),
        ["typ in full"] = issuer => issuer.CreateToken(header: header => header["typ"] = "application/at+jwt"),
        ["kid absent, one key fits"] = issuer => issuer.CreateToken(issuer.Elliptic, "ES256", header: header => header["kid"] = null),
        ["jku is ignored"] = issuer => issuer.CreateToken(header: header => header["jku"] = issuer.Authority + "/strangers-keys"),
        ["several audiences"] = issuer =>
            issuer.CreateToken(payload: payload => payload["aud"] = new JsonArray("https://billing.example", Issuer.Audience)),
        ["exp within the leeway"] = issuer => issuer.CreateToken(payload: payload => payload["exp"] = issuer.Clock.Seconds - 29),
        ["exp with a fraction"] = issuer => issuer.CreateToken(payload: payload => payload["exp"] = issuer.Clock.Seconds + 0.5),
        ["nbf within the leeway"] = issuer => issuer.CreateToken(payload: payload => payload["nbf"] = issuer.Clock.Seconds + 30),
        ["iat within the leeway"] = issuer => issuer.CreateToken(payload: payload => payload["iat"] = issuer.Clock.Seconds + 30),
        ["iat absent"] = issuer => issuer.CreateToken(payload: payload => payload["iat"] = null),
        ["provider-specific claims"] = issuer =>
            issuer.CreateToken(payload: payload => payload["realm_access"] = new JsonObject { ["roles"] = new JsonArray("a", "b") }),
        ["nearly the maximum length"] = issuer => issuer.CreateToken(payload: payload => payload["x"] = new string('x', 5000)),
    };
}
