using System.Text.Json.Nodes;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Authentication;

/// <summary>A provider on loopback that does as it is told: it shows keys, counts who asks, and can be hostile.</summary>
public sealed class Issuer : IAsyncLifetime
{
    public const string Audience = "https://catalog.example";

    private WebApplication? _server;
    private int _discoveries;
    private int _keySets;
    private int _elsewhere;

    public FakeTimeProvider Clock { get; } = FakeTimeProvider.Standing();

    public IssuerKey Rsa { get; } = IssuerKey.Rsa("rsa");

    public IssuerKey Elliptic { get; } = IssuerKey.Elliptic("elliptic");

    /// <summary>What the key set shows.</summary>
    public List<JsonObject> Shown { get; } = [];

    public string Authority { get; private set; } = "";

    /// <summary>The organization that its tokens name.</summary>
    public string Organization { get; } = $"team-{Guid.NewGuid():N}";

    /// <summary>Answers in place of the discovery document.</summary>
    public Func<HttpContext, Task>? Discovery { get; set; }

    /// <summary>Answers in place of the key set.</summary>
    public Func<HttpContext, Task>? KeySet { get; set; }

    public int Discoveries => _discoveries;

    public int KeySets => _keySets;

    /// <summary>Requests for anything else.</summary>
    public int Elsewhere => _elsewhere;

    public bool Down
    {
        set => Discovery = KeySet = value ? context => { context.Abort(); return Task.CompletedTask; } : null;
    }

    public async ValueTask InitializeAsync()
    {
        Shown.AddRange([Rsa.Jwk(), Elliptic.Jwk(("use", "sig"))]);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(Answer);
        await _server.StartAsync();
        Authority = _server.Urls.Single();
    }

    /// <summary>The service that takes this provider's tokens, on this provider's clock.</summary>
    public Task<CatalogApp> App(TestDatabase database) => App(database, ("DATAXPIPE_OIDC_AUTHORITY", Authority), ("DATAXPIPE_OIDC_AUDIENCE", Audience));

    /// <summary>The service with other settings, on this provider's clock; the organization is registered.</summary>
    public async Task<CatalogApp> App(TestDatabase database, params (string Name, string Value)[] settings)
    {
        // Why a token is refused is logged only when an operator asks for it.
        var app = new CatalogApp(database, [.. settings, ("Logging:LogLevel:Catalog.Api.Authentication.CallerAuthentication", "Information")]) { Time = Clock };
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
        // Each token is new to the service, which remembers those it has seen.
        ["jti"] = Guid.NewGuid().ToString(),
        ["iat"] = Clock.Seconds,
        ["exp"] = Clock.Seconds + 300,
    };

    /// <summary>A good token, but for what is changed; a member that is set to null is left out.</summary>
    public string Make(IssuerKey? key = null, string algorithm = "RS256", Action<JsonObject>? payload = null, Action<JsonObject>? header = null)
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
                return Discovery?.Invoke(context) ?? context.Response.WriteAsJsonAsync(new { issuer = Authority, jwks_uri = Authority + "/keys" });
            case "/keys":
                Interlocked.Increment(ref _keySets);
                return KeySet?.Invoke(context) ?? context.Response.WriteAsJsonAsync(new { keys = Shown });
            default:
                Interlocked.Increment(ref _elsewhere);
                return context.Response.WriteAsJsonAsync(new { keys = Shown });
        }
    }
}

/// <summary>The service beside its provider, for the tests of one class.</summary>
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
        // Their keys are shown before anybody reads the key set, so that no row is refused only because its key is unknown.
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

/// <summary>Requests under a token.</summary>
public static class TokenRequests
{
    public static async Task<HttpResponseMessage> With(this HttpClient client, string token, HttpMethod? method = null, string path = "/api/v1/pipelines/", string? json = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        request.Content = json is null ? null : new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
