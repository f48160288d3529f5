using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Support;

/// <summary>The service on a real loopback port, with one database.</summary>
public sealed class CatalogApp : WebApplicationFactory<Catalog.Api.Operations.Health>
{
    public const string Key = $"platform-key-{SecretSearch.Word}-0123456789abcdef";
    private readonly Dictionary<string, string?> _settings;

    public CatalogApp(TestDatabase database, params (string Name, string Value)[] settings)
    {
        _settings = new()
        {
            ["DATAXPIPE_DB"] = database.ServiceAddress,
            ["DATAXPIPE_PLATFORM_KEY"] = Key,
            ["urls"] = "http://127.0.0.1:0",
        };
        foreach (var (name, value) in settings)
        {
            _settings[name] = value;
        }

        UseKestrel(0);
    }

    /// <summary>Searches for secrets in the answers and log lines.</summary>
    public SecretSearch Canaries { get; init; } = SecretSearch.Suite;

    /// <summary>The log lines of the service.</summary>
    public LogLines Log => field ??= new(Canaries);

    /// <summary>The service's clock. Null: the system clock.</summary>
    public TimeProvider? Time { get; init; }

    /// <summary>Replaces registered services. Null: nothing is replaced.</summary>
    public Action<IServiceCollection>? Replace { get; init; }

    protected override IHost CreateHost(IHostBuilder builder)
    {
        builder.ConfigureHostConfiguration(configuration => configuration.AddInMemoryCollection(_settings));
        builder.ConfigureServices(services => services.AddSingleton<ILoggerProvider>(Log));
        if (Time is { } time)
        {
            builder.ConfigureServices(services => services.AddSingleton(time));
        }

        if (Replace is { } replace)
        {
            builder.ConfigureServices(replace);
        }

        return base.CreateHost(builder);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.UseEnvironment("Production");

    /// <summary>A client that sends the operator's key.</summary>
    public HttpClient Client()
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Add("X-API-KEY", Key);
        return client;
    }

    /// <summary>Registers an organization.</summary>
    /// <returns>A client that sends the organization's first key.</returns>
    public async Task<HttpClient> Organization(string id, string plan = "self_hosted")
    {
        using var @operator = Client();
        var answer = await @operator.PostJson("/api/v1/organizations/", new { id, name = id, plan });
        Assert.Equal(201, (int)answer.StatusCode);
        return With((await answer.Json()).GetProperty("api_key").GetProperty("key").GetString()!);
    }

    /// <summary>A client that sends this key.</summary>
    public HttpClient With(string key)
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Add("X-API-KEY", key);
        return client;
    }

    /// <summary>A client without a key.</summary>
    /// <param name="cookies">The cookies of the client; null: cookies of its own.</param>
    public HttpClient Anonymous(CookieContainer? cookies = null)
    {
        StartServer();
        return new HttpClient(new SecretSearchHandler(Canaries, cookies)) { BaseAddress = ClientOptions.BaseAddress };
    }
}

/// <summary>Sends requests and reads answers in tests.</summary>
public static class ResponseAssertions
{
    public static async Task<JsonElement> Json(this HttpResponseMessage answer) =>
        await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

    /// <summary>Asserts a problem with a status and a code, and returns its body.</summary>
    public static async Task<JsonElement> Problem(this HttpResponseMessage answer, int status, string code)
    {
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var body = await answer.Json();
        Assert.Equal(code, body.GetProperty("code").GetString());
        Assert.Equal(status, body.GetProperty("status").GetInt32());
        Assert.NotEqual("", body.GetProperty("trace_id").GetString());
        return body;
    }

    public static Task<HttpResponseMessage> PostJson(this HttpClient client, string path, object body) =>
        client.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    public static Task<JsonElement> GetJson(this HttpClient client, string path) =>
        client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);
}
