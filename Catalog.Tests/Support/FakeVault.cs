using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Support;

/// <summary>Vault's HTTP API in this process: key-value reads, sign-in by token, AppRole and Kubernetes, and faults.</summary>
public sealed class FakeVault : IAsyncLifetime
{
    /// <summary>All values that must stay secret contain this word.</summary>
    public const string Canary = $"{SecretSearch.Word}-of-vault-8841";
    public const string Token = $"hvs.{Canary}-token";
    public const string SecretId = $"{Canary}-secret-id";
    public const string Jwt = $"eyJ.{Canary}-jwt";

    private readonly WebApplication _app;
    private int _signIns;

    public FakeVault()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // Requests that hang on purpose must not delay the shutdown of this server.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        _app = builder.Build();
        _app.Run(Serve);
    }

    /// <summary>The answers by path, such as <c>secret/data/default/db</c>.</summary>
    public ConcurrentDictionary<string, string> Secrets { get; } = new(StringComparer.Ordinal);

    /// <summary>Method and path of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Replaces the answer to reads of secrets; false: the usual answer.</summary>
    public Func<HttpContext, Task<bool>> Fault { get; set; } = _ => Task.FromResult(false);

    /// <summary>The known tokens, and whether each is accepted.</summary>
    public ConcurrentDictionary<string, bool> Tokens { get; } = new(StringComparer.Ordinal);

    public bool IsSealed { get; set; }

    public int LeaseSeconds { get; set; } = 3600;

    public string Endpoint => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static string Version2(params (string Key, string Value)[] values) => JsonSerializer.Serialize(new
    {
        lease_duration = 0,
        data = new { data = values.ToDictionary(value => value.Key, value => value.Value), metadata = new { version = 1 } },
    });

    public static string Version1(int lease, params (string Key, string Value)[] values) => JsonSerializer.Serialize(new
    {
        lease_duration = lease,
        data = values.ToDictionary(value => value.Key, value => value.Value),
    });

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task Serve(HttpContext context)
    {
        var path = context.Request.Path.Value!["/v1/".Length..];
        Requests.Enqueue($"{context.Request.Method} {path}");
        var token = context.Request.Headers["X-Vault-Token"].ToString();
        if (IsSealed)
        {
            await Answer(context, 503, """{"errors":["Vault is sealed"]}""");
        }
        else if (path is "auth/approle/login" or "auth/kubernetes/login")
        {
            var body = (await JsonDocument.ParseAsync(context.Request.Body)).RootElement;
            var isRight = path.Contains("approle", StringComparison.Ordinal)
                ? body.GetProperty("role_id").GetString() == "role-1" && body.GetProperty("secret_id").GetString() == SecretId
                : body.GetProperty("role").GetString() == "catalog" && body.GetProperty("jwt").GetString() == Jwt;
            var signedIn = $"hvs.{Canary}-{Interlocked.Increment(ref _signIns)}";
            Tokens[signedIn] = isRight;
            await (isRight ? Auth(context, signedIn) : Answer(context, 400, """{"errors":["invalid role or secret ID"]}"""));
        }
        else if (!Tokens.GetValueOrDefault(token))
        {
            await Answer(context, 403, """{"errors":["permission denied"]}""");
        }
        else if (path == "auth/token/renew-self")
        {
            await Auth(context, token);
        }
        else if (path == "auth/token/lookup-self")
        {
            await Answer(context, 200, """{"data":{}}""");
        }
        else if (!await Fault(context))
        {
            await (Secrets.TryGetValue(path, out var secret) ? Answer(context, 200, secret) : Answer(context, 404, """{"errors":[]}"""));
        }
    }

    private Task Auth(HttpContext context, string token) => Answer(context, 200, JsonSerializer.Serialize(new
    {
        auth = new { client_token = token, lease_duration = LeaseSeconds, renewable = true },
    }));

    private static Task Answer(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
