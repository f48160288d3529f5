using System.Text.Json.Nodes;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Authentication;

/// <summary>
/// An identity provider on loopback: it publishes keys, counts requests, and can be made to misbehave.
/// </summary>
public sealed class Issuer : IAsyncLifetime
{
    public const string Audience = "https://catalog.example";

    private WebApplication? _server;
    private int _discoveries;
    private int _keySets;
    private int _elsewhere;

    public FakeTimeProvider Clock { get; } = FakeTimeProvider.AtFixedTime();

    public IssuerKey Rsa { get; } = IssuerKey.Rsa("rsa");

    public IssuerKey Elliptic { get; } = IssuerKey.Elliptic("elliptic");

    /// <summary>The keys that the key set publishes.</summary>
    public List<JsonObject> PublishedKeys { get; } = [];

    public string Authority { get; private set; } = "";

    /// <summary>The organization claim of its tokens.</summary>
    public string Organization { get; } = $"team-{Guid.NewGuid():N}";

    /// <summary>Handles requests for the discovery document; null for the normal answer.</summary>
    public Func<HttpContext, Task>? Discovery { get; set; }

    /// <summary>Handles requests for the key set; null for the normal answer.</summary>
    public Func<HttpContext, Task>? KeySet { get; set; }

    public int DiscoveryRequestCount => _discoveries;

    public int KeySetRequestCount => _keySets;

    /// <summary>Number of requests for any other path.</summary>
    public int OtherRequestCount => _elsewhere;

    public bool IsUnavailable
    {
        set => Discovery = KeySet = value ? context => { context.Abort(); return Task.CompletedTask; } : null;
    }

    public async ValueTask InitializeAsync()
    {
        PublishedKeys.AddRange([Rsa.Jwk(), Elliptic.Jwk(("use", "sig"))]);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(Answer);
        await _server.StartAsync();
        Authority = _server.Urls.Single();
    }

    /// <summary>Starts a service that accepts this provider's tokens and uses its clock.</summary>
    public Task<CatalogApp> App(TestDatabase database) =>
        App(database, ("DATAXPIPE_OIDC_AUTHORITY", Authority), ("DATAXPIPE_OIDC_AUDIENCE", Audience));

    /// <summary>
    /// Starts a service with the given settings and this provider's clock, and registers the organization.
    /// </summary>
    public async Task<CatalogApp> App(TestDatabase database, params (string Name, string Value)[] settings)
    {
        // The reason for a refused token is logged only if this category is set to Information.
        var app = new CatalogApp(
            database, [.. settings, ("Logging:LogLevel:Catalog.Api.Authentication.CallerAuthentication", "Information")])
        { Time = Clock };
        using var client = await app.Organization(Organization);
        return app;
    }

    public static JsonObject Header(IssuerKey key, string algorithm) => new() { ["alg"] = algorithm, ["typ"] = "at+jwt", ["kid"] = key.Id };

    public JsonObject Payload() => new()
    {
        ["iss"] = Authority,
        ["aud"] = Audience,
        ["sub"] = "loader",
        ["organization"] = Organization,
        ["scope"] = "openid read",
        // The service caches tokens, so each token must differ.
        ["jti"] = Guid.NewGuid().ToString(),
        ["iat"] = Clock.Seconds,
        ["exp"] = Clock.Seconds + 300,
    };

    /// <summary>Creates a valid token with the given changes; a member that is set to null is omitted.</summary>
    public string CreateToken(IssuerKey? key = null, string algorithm = "RS256", Action<JsonObject>? payload = null,
        Action<JsonObject>? header = null)
    {
        var signer = key ?? Rsa;
        var (head, body) = (Header(signer, algorithm), Payload());
        header?.Invoke(head);
        payload?.Invoke(body);
        return Token.Sign(signer, algorithm, Text(head), Text(body));
    }

    public static string Text(JsonObject json)
    {
        foreach (var absent in json.Where(member => member.Value is null).Select(member => member.Key).ToList())
        {
            json.Remove(absent);
        }

        return json.ToJsonString();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Rsa.Dispose();
        Elliptic.Dispose();
        GC.SuppressFinalize(this);
    }

    private Task Answer(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/.well-known/openid-configuration":
                Interlocked.Increment(ref _discoveries);
                return Discovery?.Invoke(context) ?? context.Response.WriteAsJsonAsync(
                    new { issuer = Authority, jwks_uri = Authority + "/keys" });
            case "/keys":
                Interlocked.Increment(ref _keySets);
                return KeySet?.Invoke(context) ?? context.Response.WriteAsJsonAsync(new { keys = PublishedKeys });
            default:
                Interlocked.Increment(ref _elsewhere);
                return context.Response.WriteAsJsonAsync(new { keys = PublishedKeys });
        }
    }
}

/// <summary>The service and its identity provider, shared by the tests of one class.</summary>
public sealed class SignInApp : IAsyncLifetime
{
    private readonly SqliteTestDatabase _database = new();
    private CatalogApp? _app;
    private HttpClient? _client;

    public Issuer Issuer { get; } = new();

    public CatalogApp App => _app!;

    public ForgedTokens Forged { get; private set; } = null!;

    public HttpClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        await _database.InitializeAsync();
        await Issuer.InitializeAsync();
        // The forged tokens add their keys to the key set before the service reads it. So no forged token is refused
        // only because its key is unknown.
        Forged = new(Issuer);
        _app = await Issuer.App(_database);
        _client = _app.Anonymous();
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await Issuer.DisposeAsync();
        await _database.DisposeAsync();
    }
}

/// <summary>Requests that send a token.</summary>
public static class TokenRequests
{
    public static async Task<HttpResponseMessage> With(this HttpClient client, string token, HttpMethod? method = null,
        string path = "/api/v1/pipelines/", string? json = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        request.Content = json is null ? null : new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
