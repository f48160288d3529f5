using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.SignIn;

/// <summary>A browser without script: it keeps cookies, and follows redirects one by one.</summary>
public sealed class RedirectFollower : IDisposable
{
    private readonly HttpClient _client;
    private readonly Uri _home;

    /// <param name="app">The service that it visits.</param>
    public RedirectFollower(CatalogApp app)
    {
        using var known = app.Anonymous();
        _home = known.BaseAddress!;
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Cookies, UseProxy = false });
    }

    public CookieContainer Cookies { get; } = new();

    /// <summary>The address of the last answer.</summary>
    public Uri Address { get; private set; } = new("about:blank");

    /// <summary>Opens an address, without following a redirect.</summary>
    public async Task<HttpResponseMessage> Open(string address)
    {
        Address = new(_home, address);
        var answer = await _client.GetAsync(Address, TestContext.Current.CancellationToken);
        SecretSearch.Suite.Require($"The answer to {Address.AbsolutePath}", $"{answer.Headers}");
        return answer;
    }

    /// <summary>
    /// Opens an address and follows redirects until a page, or until <paramref name="stop"/> is true of the next address.
    /// </summary>
    public async Task<HttpResponseMessage> Follow(string address, Func<Uri, bool>? stop = null, string account = "ada")
    {
        for (var i = 0; i < 12; i++)
        {
            var answer = await Open(address);
            if (answer.Headers.Location is not { } location)
            {
                return answer;
            }

            var next = new Uri(Address, location);
            // The person chooses an account at the provider.
            var asksWho = next.AbsolutePath.StartsWith("/interaction/", StringComparison.Ordinal);
            address = asksWho ? $"{next}?account={account}" : next.ToString();
            if (stop?.Invoke(new(address)) == true)
            {
                return answer;
            }
        }

        throw new InvalidOperationException($"Too many redirects; the last one was from {Address}.");
    }

    public void Dispose() => _client.Dispose();
}
