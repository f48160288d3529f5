using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Catalog.Data.Organizations;

namespace Catalog.Api.Billing;

/// <summary>
/// The few questions that billing asks of Stripe's API. Its answers are treated as anybody's: bounded in size and time, no redirect is
/// followed, and nothing of them is shown or logged but words and ids of a known form.
/// </summary>
/// <param name="settings">Null: billing is not configured, and nothing may be asked.</param>
/// <param name="time">Waits between attempts.</param>
/// <param name="log">Told what Stripe refused.</param>
internal sealed partial class Stripe(StripeSettings? settings, TimeProvider time, ILogger<Stripe> log) : IDisposable
{
    /// <summary>The version that this was written for; an account's own may change under it.</summary>
    public const string Version = "2026-10-28.endive";

    private const int MostAttempts = 4;
    private const int MostPages = 10;
    private const int LongestAnswer = 4 * 1024 * 1024;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(150);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = LongestAnswer,
    };

    public bool IsConfigured => settings is not null;

    public StripeSettings Settings => settings ?? throw new InvalidOperationException("Billing is not configured.");

    /// <summary>Makes the customer of an organization: the same one for all who ask while the organization is as it was read.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> CreateCustomer(Organization organization, CancellationToken ct)
    {
        // Stripe repeats its answer to a key for a day, a failure too; the revision moves on when an attempt was given up or a customer deleted.
        // Two installations of one account may each have an organization of this name, but not one that was made at the same microsecond.
        var once = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"customer\0{organization.Id}\0{organization.CreatedAt.UtcTicks}\0{organization.StripeRevision}\0{organization.Name}"))));
        using var answer = await Ask(HttpMethod.Post, "/v1/customers", once, ct, ("name", organization.Name), ("metadata[organization]", organization.Id));
        return Id(answer.RootElement);
    }

    /// <summary>A page where somebody pays for a plan.</summary>
    public async Task<string> Checkout(string organization, string customer, Plan plan, CancellationToken ct)
    {
        using var answer = await Ask(HttpMethod.Post, "/v1/checkout/sessions", Guid.NewGuid().ToString(), ct,
            ("mode", "subscription"), ("customer", customer), ("client_reference_id", organization), ("line_items[0][price]", Settings.PriceOf(plan)), ("line_items[0][quantity]", "1"),
            ("subscription_data[metadata][organization]", organization), ("success_url", Return("done")), ("cancel_url", Return("cancelled")));
        return Page(answer.RootElement);
    }

    /// <summary>A page where somebody changes or ends what is paid for.</summary>
    public async Task<string> Portal(string customer, CancellationToken ct)
    {
        using var answer = await Ask(HttpMethod.Post, "/v1/billing_portal/sessions", Guid.NewGuid().ToString(), ct, ("customer", customer), ("return_url", Settings.ReturnUrl.ToString()));
        return Page(answer.RootElement);
    }

    /// <summary>All subscriptions of a customer, those that have ended too.</summary>
    /// <returns>Null when the customer was deleted, and its subscriptions with it.</returns>
    public async Task<IReadOnlyList<StripeSubscription>?> Subscriptions(string customer, CancellationToken ct)
    {
        List<StripeSubscription> all = [];
        var missing = false;
        try
        {
            var after = "";
            for (var page = 0; page < MostPages; page++)
            {
                using var answer = await Ask(HttpMethod.Get, $"/v1/subscriptions?customer={Uri.EscapeDataString(customer)}&status=all&limit=100{after}", null, ct);
                all.AddRange(StripeSubscription.Read(answer.RootElement));
                if (all.Count == 0 || !answer.RootElement.TryGetProperty("has_more", out var more) || more.ValueKind != JsonValueKind.True)
                {
                    break;
                }

                after = $"&starting_after={Uri.EscapeDataString(all[^1].Id)}";
            }
        }
        catch (Exception broken) when (broken is InvalidOperationException or KeyNotFoundException)
        {
            throw new StripeException(StripeFailure.Unreachable);
        }
        catch (StripeException refused) when (refused.Failure == StripeFailure.Missing)
        {
            missing = true;
        }

        if (all.Exists(subscription => subscription.Holds))
        {
            return all;
        }

        // With a key of another account every customer is missing, and nobody's plan may end for that: Stripe must say that it was deleted.
        return await IsDeleted(customer, ct) ? null : missing ? throw new StripeException(StripeFailure.Missing) : all;
    }

    public void Dispose() => _client.Dispose();

    private async Task<bool> IsDeleted(string customer, CancellationToken ct)
    {
        using var answer = await Ask(HttpMethod.Get, $"/v1/customers/{Uri.EscapeDataString(customer)}", null, ct);
        return answer.RootElement.TryGetProperty("deleted", out var deleted) && deleted.ValueKind == JsonValueKind.True;
    }

    private string Return(string outcome) => $"{Settings.ReturnUrl}{(Settings.ReturnUrl.Query.Length > 0 ? '&' : '?')}checkout={outcome}";

    private static string Id(JsonElement answer) => answer.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String && IsWord(id.GetString()!)
        ? id.GetString()!
        : throw new StripeException(StripeFailure.Unreachable);

    // A person's browser is sent there.
    private static string Page(JsonElement answer) =>
        answer.TryGetProperty("url", out var url) && url.ValueKind == JsonValueKind.String && Uri.TryCreate(url.GetString(), UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps
            ? page.AbsoluteUri
            : throw new StripeException(StripeFailure.Unreachable);

    // Every question may be asked again: those that change something carry a key by which Stripe knows them.
    private async Task<JsonDocument> Ask(HttpMethod method, string path, string? once, CancellationToken ct, params (string Name, string Value)[] form)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Settings.Timeout);
        for (var attempt = 1; ; attempt++)
        {
            StripeFailure failure;
            try
            {
                using var request = Request(method, path, once, form);
                using var answer = await _client.SendAsync(request, limit.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return Parse(await answer.Content.ReadAsByteArrayAsync(limit.Token));
                }

                failure = await Judge(answer, method, path, limit.Token);
                // A key's answer is kept, a failure of Stripe's own too: the same question would only hear it again.
                if (failure is StripeFailure.Refused or StripeFailure.Missing || (once is not null && failure == StripeFailure.Failed))
                {
                    throw new StripeException(failure);
                }
            }
            catch (HttpRequestException exception)
            {
                LogUnreachable(method, Shown(path), exception.HttpRequestError);
                failure = StripeFailure.Unreachable;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                LogTooSlow(method, Shown(path), Settings.Timeout.TotalSeconds);
                throw new StripeException(StripeFailure.Unreachable);
            }

            if (attempt == MostAttempts)
            {
                throw new StripeException(failure);
            }

            await Task.Delay(FirstPause * (1 << (attempt - 1)) * (0.75 + (Random.Shared.NextDouble() / 2)), time, ct);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, string? once, (string Name, string Value)[] form)
    {
        var request = new HttpRequestMessage(method, new Uri(Settings.Api, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Settings.SecretKey);
        request.Headers.Add("Stripe-Version", Version);
        if (once is not null)
        {
            request.Headers.Add("Idempotency-Key", once);
            request.Content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        }

        return request;
    }

    private async Task<StripeFailure> Judge(HttpResponseMessage answer, HttpMethod method, string path, CancellationToken ct)
    {
        string? type = null, code = null;
        if (TryParse(await answer.Content.ReadAsByteArrayAsync(ct)) is { } json)
        {
            using (json)
            {
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
                {
                    type = Word(error, "type");
                    code = Word(error, "code");
                }
            }
        }

        var request = answer.Headers.TryGetValues("Request-Id", out var ids) && ids.FirstOrDefault() is { } id && IsWord(id) ? id : "none";
        LogRefused(method, Shown(path), (int)answer.StatusCode, type ?? "none", code ?? "none", request);
        return answer.StatusCode switch
        {
            HttpStatusCode.TooManyRequests => StripeFailure.Unreachable,
            // Another request with the same key is still being answered.
            HttpStatusCode.Conflict => StripeFailure.Unreachable,
            >= HttpStatusCode.InternalServerError => StripeFailure.Failed,
            _ => code == "resource_missing" ? StripeFailure.Missing : StripeFailure.Refused,
        };
    }

    private static JsonDocument Parse(byte[] answer) =>
        TryParse(answer) is { RootElement.ValueKind: JsonValueKind.Object } json ? json : throw new StripeException(StripeFailure.Unreachable);

    private static JsonDocument? TryParse(byte[] answer)
    {
        try
        {
            return JsonDocument.Parse(answer);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Word(JsonElement error, string name) =>
        error.TryGetProperty(name, out var word) && word.ValueKind == JsonValueKind.String && IsWord(word.GetString()!) ? word.GetString() : null;

    private static bool IsWord(string text) => text.Length is > 0 and <= 255 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');

    // Without the query.
    private static string Shown(string path) => path.Split('?')[0];

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stripe answered {Method} {Path} with {Status}: type {Type}, code {Code}, its request {RequestId}")]
    private partial void LogRefused(HttpMethod method, string path, int status, string type, string code, string requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stripe did not answer {Method} {Path}: {Why}")]
    private partial void LogUnreachable(HttpMethod method, string path, HttpRequestError why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stripe did not answer {Method} {Path} within {Seconds} seconds")]
    private partial void LogTooSlow(HttpMethod method, string path, double seconds);
}

/// <summary>Why Stripe did not do what it was asked.</summary>
internal enum StripeFailure
{
    /// <summary>No answer, none in time, none that can be read, or one that says to come back later.</summary>
    Unreachable,

    /// <summary>Something went wrong at Stripe.</summary>
    Failed,

    /// <summary>The object that the question names is not there.</summary>
    Missing,

    /// <summary>The question is wrong, or the key may not ask it.</summary>
    Refused,
}

/// <summary>Stripe did not do what it was asked. Says nothing of what it answered.</summary>
internal sealed class StripeException(StripeFailure failure) : Exception($"Stripe did not do it: {failure}.")
{
    public StripeFailure Failure { get; } = failure;
}
