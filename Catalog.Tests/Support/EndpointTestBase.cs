using System.Text;

namespace Catalog.Tests.Support;

/// <summary>
/// Gives each test a client with the operator's key. The tests of a class share one service and one database.
/// </summary>
public abstract class EndpointTestBase : IDisposable
{
    protected EndpointTestBase(TestDatabase database, params (string Name, string Value)[] settings)
    {
        Database = database.Require();
        App = database.SharedService(settings);
        Client = App.Client();
    }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TestDatabase Database { get; }

    protected CatalogApp App { get; }

    protected HttpClient Client { get; }

    /// <summary>A name that no other test uses.</summary>
    protected string Name { get; } = $"n{Guid.NewGuid():N}";

    protected Task<HttpResponseMessage> Send(HttpMethod method, string path, string? json = null,
        params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (json is not null)
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request, Ct);
    }

    public virtual void Dispose()
    {
        Client.Dispose();
        GC.SuppressFinalize(this);
    }
}
