using System.Text.Json.Nodes;
using Catalog.Api.Authentication.Oidc;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Authentication;

/// <summary>
/// How the service reads signing keys: how often, which answers it accepts, and what happens during an outage.
/// </summary>
public sealed class SigningKeyTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>, IAsyncLifetime
{
    private readonly Issuer _issuer = new();
    private CatalogApp? _app;
    private HttpClient? _client;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private HttpClient Client => _client ??= App.Anonymous();

    private CatalogApp App => _app!;

    public async ValueTask InitializeAsync()
    {
        await _issuer.InitializeAsync();
        _app = await _issuer.App(database);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await _issuer.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_thousand_unknown_kids_cause_one_read_per_pause()
    {
        Assert.Equal(200, await Status(_issuer.CreateToken()));

        for (var expected = 2; expected < 4; expected++)
        {
            _issuer.Clock.Advance(SigningKeyCache.Pause);
            await SendUnknownKids();
            Assert.Equal((expected, expected), (_issuer.DiscoveryRequestCount, _issuer.KeySetRequestCount));
        }

        await SendUnknownKids();
        Assert.Equal(3, _issuer.KeySetRequestCount);
        Assert.Equal(200, await Status(_issuer.CreateToken()));

        async Task SendUnknownKids()
        {
            using var stranger = IssuerKey.Rsa(null);
            var answers = await Task.WhenAll(
                Enumerable.Range(0, 1000)
                    .Select(i => Status(_issuer.CreateToken(stranger, header: header => header["kid"] = $"unknown-{i}"))));
            Assert.All(answers, answer => Assert.Equal(401, answer));
        }
    }

    [Fact]
    public async Task Many_first_requests_share_one_read()
    {
        var token = _issuer.CreateToken();

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Status(token))), answer => Assert.Equal(200, answer));
        Assert.Equal((1, 1), (_issuer.DiscoveryRequestCount, _issuer.KeySetRequestCount));
    }

    [Fact]
    public async Task A_new_key_is_accepted_after_the_pause()
    {
        Assert.Equal(200, await Status(_issuer.CreateToken()));
        using var fresh = IssuerKey.Rsa("fresh");
        _issuer.PublishedKeys.Add(fresh.Jwk());

        Assert.Equal(401, await Status(_issuer.CreateToken(fresh)));
        _issuer.Clock.Advance(SigningKeyCache.Pause);
        Assert.Equal(200, await Status(_issuer.CreateToken(fresh)));
        Assert.Equal(200, await Status(_issuer.CreateToken()));
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_after_the_period()
    {
        var token = LongLivedToken();
        Assert.Equal(200, await Status(token));
        _issuer.PublishedKeys.RemoveAt(0);
        _issuer.Clock.Advance(SigningKeyCache.Period - TimeSpan.FromSeconds(1));
        Assert.Equal(200, await Status(token));

        // The first request starts the key read but does not wait for it.
        _issuer.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var tries = 0; await Status(token) != 401; tries++)
        {
            Assert.True(tries < 100, "The withdrawn key is still accepted.");
            await Task.Delay(20, Ct);
        }

        Assert.Equal(401, await Status(LongLivedToken()));
        Assert.Equal(200, await Status(_issuer.CreateToken(_issuer.Elliptic, "ES256")));
        Assert.Equal(2, _issuer.KeySetRequestCount);
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_at_once_after_an_idle_time()
    {
        var token = LongLivedToken();
        Assert.Equal(200, await Status(token));
        _issuer.PublishedKeys.RemoveAt(0);

        _issuer.Clock.Advance(2 * SigningKeyCache.Period);

        Assert.Equal(401, await Status(token));
    }

    [Fact]
    public async Task A_cached_token_expires_on_time()
    {
        var token = _issuer.CreateToken();
        Assert.Equal(200, await Status(token));

        _issuer.Clock.Advance(TimeSpan.FromSeconds(329));
        Assert.Equal(200, await Status(token));
        Assert.Equal(401, await Status(Token.With(token, 2, part => (part[0] == 'A' ? 'B' : 'A') + part[1..])));
        _issuer.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, await Status(token));
    }

    [Fact]
    public async Task Known_keys_stay_valid_while_the_provider_is_unavailable_or_answers_nonsense()
    {
        Assert.Equal(200, await Status(_issuer.CreateToken()));
        foreach (var trouble in new Func<HttpContext, Task>[] { Abort, context => context.Response.WriteAsync("<html>", Ct), context =>
            context.Response.WriteAsJsonAsync(new { keys = 1 }, Ct) })
        {
            _issuer.KeySet = trouble;
            _issuer.Clock.Advance(TimeSpan.FromHours(24));
            Assert.Equal(200, await Status(_issuer.CreateToken()));
            Assert.Equal(401, await Status(_issuer.CreateToken(header: header => header["kid"] = "unknown")));
        }

        Assert.Equal(4, _issuer.KeySetRequestCount);
        Assert.Contains(App.Log.At(LogLevel.Warning), line => line.Contains("the previous keys stay in use", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_emptied_key_set_replaces_the_known_keys()
    {
        Assert.Equal(200, await Status(_issuer.CreateToken()));
        _issuer.PublishedKeys.Clear();
        _issuer.Clock.Advance(2 * SigningKeyCache.Period);

        Assert.Equal(401, await Status(_issuer.CreateToken()));
    }

    [Fact]
    public async Task Before_the_first_key_read_tokens_are_503_and_everything_else_works()
    {
        _issuer.Discovery = Abort;

        var answer = await Client.With(_issuer.CreateToken());

        await answer.Problem(503, "identity_provider_unavailable");
        Assert.Equal(SigningKeyCache.Pause, answer.Headers.RetryAfter?.Delta);
        Assert.Equal(401, await Status("a.b.c"));
        Assert.Equal(200, await Status(CatalogApp.Key));
        Assert.Equal(200, (int)(await Client.With(_issuer.CreateToken(), path: "/health")).StatusCode);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Status(_issuer.CreateToken()))),
            status => Assert.Equal(503, status));
        Assert.Equal(1, _issuer.DiscoveryRequestCount);
    }

    public static TheoryData<string> Hostile => [.. HostileProviders.Keys];

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_provider_yields_no_keys_until_it_recovers(string name)
    {
        var (arrange, reason) = HostileProviders[name];
        arrange(_issuer);

        await (await Client.With(_issuer.CreateToken())).Problem(503, "identity_provider_unavailable");

        Assert.Contains(App.Log.At(LogLevel.Warning), line => line.Contains(reason, StringComparison.Ordinal));
        Assert.Equal(0, _issuer.OtherRequestCount);
        (_issuer.Discovery, _issuer.KeySet) = (null, null);
        _issuer.Clock.Advance(SigningKeyCache.Pause);
        Assert.Equal(200, await Status(_issuer.CreateToken()));
    }

    private string LongLivedToken() => _issuer.CreateToken(payload: payload => payload["exp"] = _issuer.Clock.Seconds + 86400);

    private async Task<int> Status(string token)
    {
        using var answer = await Client.With(token);
        return (int)answer.StatusCode;
    }

    private static Task Abort(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    private static Func<HttpContext, Task> DiscoveryDocument(string issuer, string? keys) =>
        context => context.Response.WriteAsJsonAsync(new JsonObject { ["issuer"] = issuer, ["jwks_uri"] = keys });

    private static readonly Dictionary<string, (Action<Issuer> Arrange, string Reason)> HostileProviders = new()
    {
        ["huge"] = (issuer => issuer.KeySet = async context =>
        {
            var blanks = new byte[64 * 1024];
            blanks.AsSpan().Fill((byte)' ');
            await context.Response.WriteAsync("{\"keys\":[", context.RequestAborted);
            for (var i = 0; i < 1000; i++)
            {
                await context.Response.Body.WriteAsync(blanks, context.RequestAborted);
            }
        }, "too large"),
        ["slow to begin"] = (issuer => issuer.Discovery = context =>
            Task.Delay(Timeout.Infinite, context.RequestAborted), "took longer than 5 s"),
        ["slow to end"] = (issuer => issuer.KeySet = async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(" ", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(200, context.RequestAborted);
            }
        }, "took longer than 5 s"),
        ["redirected discovery"] = (issuer => issuer.Discovery = context =>
            { context.Response.Redirect("/elsewhere"); return Task.CompletedTask; }, "it answered 302"),
        ["redirected keys"] = (issuer => issuer.KeySet = context => { context.Response.Redirect("/elsewhere"); return Task.CompletedTask; },
            "it answered 302"),
        ["an error with keys in it"] = (issuer => issuer.KeySet = context =>
            { context.Response.StatusCode = 500; return context.Response.WriteAsJsonAsync(new { keys = issuer.PublishedKeys }); },
            "it answered 500"),
        ["not JSON"] = (issuer => issuer.KeySet = context => context.Response.WriteAsync("<html>"), "is not a JSON object"),
        ["an array"] = (issuer => issuer.KeySet = context => context.Response.WriteAsJsonAsync(issuer.PublishedKeys),
            "is not a JSON object"),
        ["keys twice"] = (issuer => issuer.KeySet = context => context.Response.WriteAsync("{\"keys\":[],\"keys\":[]}"),
            "is not a JSON object"),
        ["no keys member"] = (issuer => issuer.KeySet = context => context.Response.WriteAsJsonAsync(new { kees = issuer.PublishedKeys }),
            "contains no keys"),
        ["another issuer"] = (issuer => issuer.Discovery = DiscoveryDocument("https://login.example", issuer.Authority + "/keys"),
            "names another issuer"),
        ["its issuer with a slash"] = (issuer => issuer.Discovery = DiscoveryDocument(issuer.Authority + "/", issuer.Authority + "/keys"),
            "names another issuer"),
        ["no jwks_uri"] = (issuer => issuer.Discovery = DiscoveryDocument(issuer.Authority, null), "jwks_uri is missing or not https"),
        ["jwks_uri over http"] = (issuer => issuer.Discovery = DiscoveryDocument(issuer.Authority, "http://192.168.0.1/keys"),
            "jwks_uri is missing or not https"),
        ["jwks_uri is a file"] = (issuer => issuer.Discovery = DiscoveryDocument(issuer.Authority, "file:///etc/passwd"),
            "jwks_uri is missing or not https"),
        ["jwks_uri is relative"] = (issuer => issuer.Discovery = DiscoveryDocument(issuer.Authority, "keys"),
            "jwks_uri is missing or not https"),
        ["jwks_uri with a user"] = (issuer =>
            issuer.Discovery = DiscoveryDocument(issuer.Authority, issuer.Authority.Replace("//", "//u:p@", StringComparison.Ordinal)
                + "/keys"), "jwks_uri is missing or not https"),
        ["jwks_uri at the metadata service"] = (issuer =>
            issuer.Discovery = DiscoveryDocument(issuer.Authority, "https://169.254.169.254/keys"), "address is not allowed"),
    };
}
