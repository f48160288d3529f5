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

/// <summary>What Stripe does wrong.</summary>
public enum StripeMisdeed
{
    None,
    InternalError,
    TooMany,

    /// <summary>The key is not known.</summary>
    Unauthorized,

    /// <summary>The connection breaks before the question is looked at.</summary>
    Reset,

    /// <summary>What is asked is done, and the connection breaks before the answer.</summary>
    ResetAfter,
    Silence,
    Redirect,

    /// <summary>200 with a page of somebody in between.</summary>
    Html,

    /// <summary>200 with another JSON.</summary>
    Nonsense,

    /// <summary>What is right, and 8 MiB of blanks after it.</summary>
    Huge,

    /// <summary>Half of what is right, then nothing more on an open connection.</summary>
    Stalls,

    /// <summary>Half of what is right, then the connection breaks.</summary>
    BreaksOff,
}

/// <summary>
/// Stripe's API in this process: keeps customers, sessions and subscriptions, wants the key, the version and form-encoded bodies, keeps what it
/// answered to an Idempotency-Key, failures too, and does at chosen requests what services do on bad days.
/// </summary>
public sealed class FakeStripe : IAsyncLifetime
{
    public const string Key = "sk_test_CanaryKey7731abcdefghij";
    public const string WebhookSecret = "whsec_CanaryHook4471abcdefghij";
    public const string OldWebhookSecret = "whsec_CanaryOldHook9913abcdef";
    public const string Team = "price_team_1";
    public const string Business = "price_business_1";

    /// <summary>Stands in every error, and must stand nowhere else.</summary>
    public const string Canary = "canary-text-of-stripe-5512";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FakeSubscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly Lock _truth = new();
    private int _requests;
    private int _made;

    public FakeStripe()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(Serve);
    }

    /// <summary>By id; null once it was deleted.</summary>
    public ConcurrentDictionary<string, Dictionary<string, string>?> Customers { get; } = new(StringComparer.Ordinal);

    /// <summary>The fields that sessions of checkout and portal were made with.</summary>
    public ConcurrentQueue<Dictionary<string, string>> Sessions { get; } = new();

    /// <summary>Method and path of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What is done to a request, by its number, method and path.</summary>
    public Func<int, string, string, StripeMisdeed> Misdeeds { get; set; } = (_, _, _) => StripeMisdeed.None;

    /// <summary>Whether anything was done to a request since a test began.</summary>
    public bool Misbehaved { get; set; }

    /// <summary>How long an answer takes.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>Waited for by a request, by its number, after its answer was made and before it is sent.</summary>
    public Func<int, Task> Hold { get; set; } = _ => Task.CompletedTask;

    public string Endpoint => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>The settings of a service that asks here.</summary>
    public (string Name, string Value)[] Settings(params (string Name, string Value)[] more) =>
    [
        ("DATAXPIPE_STRIPE_API", Endpoint), ("DATAXPIPE_STRIPE_SECRET_KEY", Key), ("DATAXPIPE_STRIPE_WEBHOOK_SECRET", $"{WebhookSecret},{OldWebhookSecret}"),
        ("DATAXPIPE_STRIPE_PRICE_TEAM", Team), ("DATAXPIPE_STRIPE_PRICE_BUSINESS", Business), ("DATAXPIPE_STRIPE_RETURN_URL", "https://catalog.example/plans?from=stripe"), .. more,
    ];

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    /// <summary>Behaves again.</summary>
    public void Reset()
    {
        (Misdeeds, Hold, Pause) = ((_, _, _) => StripeMisdeed.None, _ => Task.CompletedTask, default);
        Sessions.Clear();
        CountAnew();
    }

    /// <summary>The next request is the first.</summary>
    public void CountAnew()
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

    /// <summary>A customer subscribes.</summary>
    /// <returns>The subscription's id, and the event that tells of it.</returns>
    public (string Id, string Event) Subscribe(string customer, string price, string status = "active")
    {
        lock (_truth)
        {
            var subscription = new FakeSubscription($"sub_{Interlocked.Increment(ref _made):000000}", customer, price, status);
            _subscriptions[subscription.Id] = subscription;
            return (subscription.Id, Event("customer.subscription.created", subscription.Json()));
        }
    }

    /// <summary>A subscription becomes something else.</summary>
    /// <returns>The event that tells of it.</returns>
    public string Change(string id, string? status = null, string? price = null)
    {
        lock (_truth)
        {
            var before = _subscriptions[id];
            var subscription = _subscriptions[id] = before with { Status = status ?? before.Status, Price = price ?? before.Price };
            return Event(subscription.Status == "canceled" ? "customer.subscription.deleted" : "customer.subscription.updated", subscription.Json());
        }
    }

    /// <summary>A customer is deleted; Stripe ends its subscriptions.</summary>
    public string Delete(string customer)
    {
        lock (_truth)
        {
            Customers[customer] = null;
            foreach (var subscription in _subscriptions.Values.Where(subscription => subscription.Customer == customer).ToList())
            {
                _subscriptions[subscription.Id] = subscription with { Status = "canceled" };
            }

            return Event("customer.deleted", new { id = customer, @object = "customer" });
        }
    }

    /// <summary>The customer of an organization that has one.</summary>
    public string CustomerOf(string organization) => Customers.Single(customer => customer.Value?["metadata[organization]"] == organization).Key;

    /// <summary>The plan that a customer pays for now.</summary>
    public string PlanOf(string customer)
    {
        lock (_truth)
        {
            var paid = _subscriptions.Values.Where(subscription => subscription.Customer == customer && subscription.Status is "active" or "past_due" or "trialing").Select(subscription => subscription.Price).ToList();
            return paid.Contains(Business) ? "business" : paid.Contains(Team) ? "team" : "free";
        }
    }

    public string Event(string type, object about) => JsonSerializer.Serialize(new
    {
        id = $"evt_{Interlocked.Increment(ref _made):000000}{Guid.NewGuid():N}",
        @object = "event",
        api_version = "2026-10-28.endive",
        created = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
        data = new { @object = about },
        livemode = false,
        pending_webhooks = 1,
        request = new { id = (string?)null, idempotency_key = (string?)null },
        type,
    });

    private async Task Serve(HttpContext context)
    {
        var number = Interlocked.Increment(ref _requests);
        var (method, path) = (context.Request.Method, context.Request.Path.Value!);
        Requests.Enqueue($"{method} {path}");
        if (Pause > TimeSpan.Zero && method == "GET")
        {
            await Task.Delay(Pause, context.RequestAborted);
        }

        var misdeed = Misdeeds(number, method, path);
        Misbehaved |= misdeed != StripeMisdeed.None;
        switch (misdeed)
        {
            case StripeMisdeed.TooMany: await Refuse(context, 429, "rate_limit_error", "rate_limit"); return;
            case StripeMisdeed.Unauthorized: await Refuse(context, 401, "invalid_request_error", "api_key_expired"); return;
            case StripeMisdeed.Reset: context.Abort(); return;
            case StripeMisdeed.Silence: await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default); context.Abort(); return;
            case StripeMisdeed.Redirect: context.Response.Redirect($"{Endpoint}/stolen"); return;
            case StripeMisdeed.Html: await context.Response.WriteAsync($"<html>{Canary}</html>"); return;
            case StripeMisdeed.Nonsense: await context.Response.WriteAsync($$"""{"data":[{"id":7,"{{Canary}}":null}],"url":"javascript:{{Canary}}"}"""); return;
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
            ? misdeed == StripeMisdeed.InternalError ? (500, Error("api_error", "internal")) : Get(context)
            : await Post(context, path, misdeed);
        await Hold(number);
        if (misdeed == StripeMisdeed.ResetAfter)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers["Request-Id"] = $"req_{number}";
        context.Response.Headers["Stripe-Notice"] = Canary;
        if (misdeed is StripeMisdeed.Stalls or StripeMisdeed.BreaksOff)
        {
            context.Response.ContentLength = body.Length;
            await context.Response.WriteAsync(body[..(body.Length / 2)]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(misdeed == StripeMisdeed.Stalls ? TimeSpan.FromSeconds(30) : TimeSpan.Zero, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            context.Abort();
            return;
        }

        await context.Response.WriteAsync(misdeed == StripeMisdeed.Huge ? body + new string(' ', 8 << 20) : body);
    }

    private (int, string) Get(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/v1/customers/", StringComparison.Ordinal))
        {
            var id = path["/v1/customers/".Length..];
            return !Customers.TryGetValue(id, out var customer) ? (404, Error("invalid_request_error", "resource_missing"))
                : (200, customer is null ? JsonSerializer.Serialize(new { id, @object = "customer", deleted = true }) : JsonSerializer.Serialize(new { id, @object = "customer" }));
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

        lock (_truth)
        {
            // Two on a page, so that all have to be turned.
            var all = _subscriptions.Values.Where(subscription => subscription.Customer == of && (query["status"] == "all" || subscription.Status != "canceled"))
                .OrderByDescending(subscription => subscription.Id, StringComparer.Ordinal)
                .SkipWhile(subscription => query.ContainsKey("starting_after") && string.CompareOrdinal(subscription.Id, query["starting_after"]) >= 0).ToList();
            return (200, JsonSerializer.Serialize(new { @object = "list", data = all.Take(2).Select(subscription => subscription.Json()), has_more = all.Count > 2, url = "/v1/subscriptions" }));
        }
    }

    private async Task<(int, string)> Post(HttpContext context, string path, StripeMisdeed misdeed)
    {
        if (!context.Request.HasFormContentType || context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.Ordinal) != true)
        {
            return (400, Error("invalid_request_error", "form_expected"));
        }

        var form = (await context.Request.ReadFormAsync()).ToDictionary(field => field.Key, field => field.Value.Single()!, StringComparer.Ordinal);
        if (context.Request.Headers["Idempotency-Key"].ToString() is not { Length: > 0 and <= 255 } once)
        {
            return (400, Error("invalid_request_error", "key_missing"));
        }

        var asked = path + "\n" + string.Join('\n', form.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value}"));
        var kept = new Kept(asked);
        if (!_kept.TryAdd(once, kept))
        {
            var first = _kept[once];
            if (first.Asked != asked)
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
        kept.Answer = misdeed == StripeMisdeed.InternalError ? (500, Error("api_error", "internal")) : Make(path, form);
        return kept.Answer.Value;
    }

    private (int, string) Make(string path, Dictionary<string, string> form)
    {
        var number = Interlocked.Increment(ref _made);
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
            return (200, JsonSerializer.Serialize(new { id = $"cs_{number}", url = string.Create(CultureInfo.InvariantCulture, $"https://pay.example/c/{number}#x%2F") }));
        }

        return (404, Error("invalid_request_error", "url_invalid"));
    }

    private static string Error(string type, string code) => JsonSerializer.Serialize(new { error = new { type, code, message = $"{Canary} {Key}", param = Canary } });

    private static Task Refuse(HttpContext context, int status, string type, string code)
    {
        context.Response.StatusCode = status;
        return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Error(type, code))).AsTask();
    }

    private sealed class Kept(string asked)
    {
        public string Asked { get; } = asked;

        public (int Status, string Body)? Answer { get; set; }
    }

    private sealed record FakeSubscription(string Id, string Customer, string Price, string Status)
    {
        public object Json() => new
        {
            id = Id,
            @object = "subscription",
            customer = Customer,
            status = Status,
            items = new { @object = "list", data = new[] { new { id = $"si_{Id}", @object = "subscription_item", price = new { id = Price, @object = "price" }, quantity = 1 } } },
        };
    }
}

/// <summary>Signs as Stripe does.</summary>
public static class StripeSigner
{
    /// <summary>The tag of a time and a body.</summary>
    public static string Tag(long time, ReadOnlySpan<byte> body, string secret) => Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(
        Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{time}.")), .. body]));

    public static string Header(long time, ReadOnlySpan<byte> body, string secret) => string.Create(CultureInfo.InvariantCulture, $"t={time},v1={Tag(time, body, secret)}");
}
