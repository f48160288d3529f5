using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Support;

/// <summary>
/// Stripe's API in this process. It keeps customers, sessions and subscriptions, and requires the key, the version and
/// form-encoded bodies. It repeats its first answer to an Idempotency-Key, also a failure, and fails chosen requests.
/// </summary>
public sealed partial class FakeStripe : IAsyncLifetime
{
    public const string Key = $"sk_test_{SecretSearch.Word}Key7731abcdefghij";
    public const string WebhookSecret = $"whsec_{SecretSearch.Word}Hook4471abcdefghij";
    public const string OldWebhookSecret = $"whsec_{SecretSearch.Word}OldHook9913abcdef";
    public const string Team = "price_team_1";
    public const string Business = "price_business_1";

    /// <summary>Every error contains this text. The service must never pass it on.</summary>
    public const string Canary = $"{SecretSearch.Word}-text-of-stripe-5512";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, StoredAnswer> _answers = new(StringComparer.Ordinal);
    private int _requests;

    public FakeStripe()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(Serve);
    }

    /// <summary>The form fields of each created checkout or portal session.</summary>
    public ConcurrentQueue<Dictionary<string, string>> Sessions { get; } = new();

    /// <summary>Method and path of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Chooses the fault of a request by its number (from 1), method and path.</summary>
    public Func<int, string, string, StripeFault> FaultFor { get; set; } = (_, _, _) => StripeFault.None;

    /// <summary>Whether any request has failed on purpose; a test sets it back to false.</summary>
    public bool HasFailed { get; set; }

    /// <summary>The delay before an answer.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>
    /// Delays the answer of a request, chosen by its number, until the task is completed. The request is processed
    /// before the delay.
    /// </summary>
    public Func<int, Task> Hold { get; set; } = _ => Task.CompletedTask;

    public string Endpoint => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>The settings of a service that calls this API.</summary>
    public (string Name, string Value)[] Settings(params (string Name, string Value)[] more) =>
    [
        ("DATAXPIPE_STRIPE_API", Endpoint), ("DATAXPIPE_STRIPE_SECRET_KEY", Key),
        ("DATAXPIPE_STRIPE_WEBHOOK_SECRET", $"{WebhookSecret},{OldWebhookSecret}"),
        ("DATAXPIPE_STRIPE_PRICE_TEAM", Team), ("DATAXPIPE_STRIPE_PRICE_BUSINESS", Business),
        ("DATAXPIPE_STRIPE_RETURN_URL", "https://catalog.example/plans?from=stripe"), .. more,
    ];

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    /// <summary>Removes all faults and delays, and clears sessions and requests.</summary>
    public void Reset()
    {
        (FaultFor, Hold, Pause) = ((_, _, _) => StripeFault.None, _ => Task.CompletedTask, default);
        Sessions.Clear();
        RestartNumbering();
    }

    /// <summary>Clears the list of requests; the next request has number 1.</summary>
    public void RestartNumbering()
    {
        Requests.Clear();
        _requests = 0;
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            await _app.StopAsync(limit.Token);
        }
        finally
        {
            await _app.DisposeAsync();
        }
    }

    private async Task Serve(HttpContext context)
    {
        var number = Interlocked.Increment(ref _requests);
        var (method, path) = (context.Request.Method, context.Request.Path.Value!);
        Requests.Enqueue($"{method} {path}");
        if (Pause > TimeSpan.Zero && method == "GET")
        {
            await Task.Delay(Pause, context.RequestAborted);
        }

        var fault = FaultFor(number, method, path);
        HasFailed |= fault != StripeFault.None;
        switch (fault)
        {
            case StripeFault.RateLimited: await Refuse(context, 429, "rate_limit_error", "rate_limit"); return;
            case StripeFault.Unauthorized: await Refuse(context, 401, "invalid_request_error", "api_key_expired"); return;
            case StripeFault.Reset: context.Abort(); return;
            case StripeFault.NoResponse:
                await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted)
                .ContinueWith(_ => { }, TaskScheduler.Default); context.Abort(); return;
            case StripeFault.Redirect: context.Response.Redirect($"{Endpoint}/stolen"); return;
            case StripeFault.Html: await context.Response.WriteAsync($"<html>{Canary}</html>"); return;
            case StripeFault.UnexpectedJson:
                await context.Response.WriteAsync(
                $$"""{"data":[{"id":7,"{{Canary}}":null}],"url":"javascript:{{Canary}}"}"""); return;
        }

        if (context.Request.Headers.Authorization.ToString() != $"Bearer {Key}")
        {
            await Refuse(context, 401, "invalid_request_error", "api_key_invalid");
            return;
        }

        if (context.Request.Headers["Stripe-Version"].ToString() is not { Length: > 10 })
        {
            await Refuse(context, 400, "invalid_request_error", "version_missing");
            return;
        }

        var (status, body) = method == "GET"
            ? fault == StripeFault.InternalError ? (500, Error("api_error", "internal")) : Get(context)
            : await Post(context, path, fault);
        await Hold(number);
        if (fault == StripeFault.ResetAfter)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers["Request-Id"] = $"req_{number}";
        context.Response.Headers["Stripe-Notice"] = Canary;
        if (fault is StripeFault.StopsMidBody or StripeFault.ResetsMidBody)
        {
            context.Response.ContentLength = body.Length;
            await context.Response.WriteAsync(body[..(body.Length / 2)]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(fault == StripeFault.StopsMidBody ? TimeSpan.FromSeconds(30) : TimeSpan.Zero, context.RequestAborted)
                .ContinueWith(_ => { }, TaskScheduler.Default);
            context.Abort();
            return;
        }

        await context.Response.WriteAsync(fault == StripeFault.OversizedBody ? body + new string(' ', 8 << 20) : body);
    }

    private (int, string) Get(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/v1/customers/", StringComparison.Ordinal))
        {
            var id = path["/v1/customers/".Length..];
            return !Customers.TryGetValue(id, out var customer) ? (404, Error("invalid_request_error", "resource_missing"))
                : (200, customer is null
                    ? JsonSerializer.Serialize(new { id, @object = "customer", deleted = true })
                        : JsonSerializer.Serialize(new { id, @object = "customer" }));
        }

        if (path != "/v1/subscriptions")
        {
            return (404, Error("invalid_request_error", "url_invalid"));
        }

        var query = context.Request.Query;
        var of = query["customer"].ToString();
        if (!Customers.ContainsKey(of))
        {
            return (400, Error("invalid_request_error", "resource_missing"));
        }

        return (200, PageOfSubscriptions(of, query["status"] == "all", query["starting_after"]));
    }

    private async Task<(int, string)> Post(HttpContext context, string path, StripeFault fault)
    {
        if (!context.Request.HasFormContentType
            || context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.Ordinal) != true)
        {
            return (400, Error("invalid_request_error", "form_expected"));
        }

        var form = (await context.Request.ReadFormAsync()).ToDictionary(field => field.Key, field =>
            field.Value.Single()!, StringComparer.Ordinal);
        if (context.Request.Headers["Idempotency-Key"].ToString() is not { Length: > 0 and <= 255 } idempotencyKey)
        {
            return (400, Error("invalid_request_error", "key_missing"));
        }

        var requestText = path + "\n" + string.Join('\n', form.OrderBy(field => field.Key, StringComparer.Ordinal)
            .Select(field => $"{field.Key}={field.Value}"));
        var stored = new StoredAnswer(requestText);
        if (!_answers.TryAdd(idempotencyKey, stored))
        {
            var first = _answers[idempotencyKey];
            if (first.RequestText != requestText)
            {
                return (400, Error("idempotency_error", "idempotency_key_reused"));
            }

            if (first.Answer is not { } answer)
            {
                return (409, Error("invalid_request_error", "idempotency_key_in_use"));
            }

            context.Response.Headers["Idempotent-Replayed"] = "true";
            return answer;
        }

        await Task.Delay(Pause);
        stored.Answer = fault == StripeFault.InternalError ? (500, Error("api_error", "internal")) : Create(path, form);
        return stored.Answer.Value;
    }

    private (int, string) Create(string path, Dictionary<string, string> form)
    {
        var number = Interlocked.Increment(ref _created);
        if (path == "/v1/customers")
        {
            var id = $"cus_{number:000000}{Guid.NewGuid().ToString("N")[..6]}";
            Customers[id] = form;
            return (200, JsonSerializer.Serialize(new { id, @object = "customer" }));
        }

        if (Customers.GetValueOrDefault(form.GetValueOrDefault("customer") ?? "") is null)
        {
            return (400, Error("invalid_request_error", "resource_missing"));
        }

        if (path is "/v1/checkout/sessions" or "/v1/billing_portal/sessions")
        {
            form["path"] = path;
            Sessions.Enqueue(form);
            return (200, JsonSerializer.Serialize(
                new { id = $"cs_{number}", url = string.Create(CultureInfo.InvariantCulture, $"https://pay.example/c/{number}#x%2F") }));
        }

        return (404, Error("invalid_request_error", "url_invalid"));
    }

    private static string Error(string type, string code) =>
        JsonSerializer.Serialize(new { error = new { type, code, message = $"{Canary} {Key}", param = Canary } });

    private static Task Refuse(HttpContext context, int status, string type, string code)
    {
        context.Response.StatusCode = status;
        return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Error(type, code))).AsTask();
    }

    private sealed class StoredAnswer(string requestText)
    {
        public string RequestText { get; } = requestText;

        public (int Status, string Body)? Answer { get; set; }
    }
}
