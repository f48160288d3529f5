using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Catalog.Data.Organizations;
using Polly;
using Stripe;
using Stripe.Checkout;
using Plan = Catalog.Data.Organizations.Plan;
using PortalSessionCreateOptions = Stripe.BillingPortal.SessionCreateOptions;
using PortalSessionService = Stripe.BillingPortal.SessionService;

namespace Catalog.Api.Billing;

/// <summary>
/// The requests to Stripe, sent with Stripe's library. A response is not trusted: only ids and codes of a known format
/// are shown or logged. <see cref="StripeHttp"/> limits the size and the time of a response, and retries failed
/// requests.
/// </summary>
internal sealed partial class StripeApi
{
    private const int MaxPages = 10;
    private readonly StripeSettings? _settings;
    private readonly StripeClient? _client;
    private readonly ILogger<StripeApi> _log;

    /// <param name="settings">Null when billing is not configured; then no request may be sent.</param>
    /// <param name="clients">The factory of the HTTP client named <see cref="StripeHttp.Name"/>.</param>
    /// <param name="log">Logs failed requests.</param>
    public StripeApi(StripeSettings? settings, IHttpClientFactory clients, ILogger<StripeApi> log)
    {
        (_settings, _log) = (settings, log);
        _client = settings is null ? null : new StripeClient(new StripeClientOptions
        {
            ApiKey = settings.SecretKey,
            ApiBase = settings.Api.GetLeftPart(UriPartial.Authority),
            // The library's telemetry would send an id of this machine and the durations of earlier requests.
            HttpClient = new SystemNetHttpClient(clients.CreateClient(StripeHttp.Name), maxNetworkRetries: 0, enableTelemetry: false),
        });
    }

    public bool IsConfigured => _settings is not null;

    public StripeSettings Settings => _settings ?? throw new InvalidOperationException("Billing is not configured.");

    /// <summary>
    /// Creates the customer of an organization. Concurrent and repeated requests get the same customer while the
    /// organization is unchanged.
    /// </summary>
    /// <returns>The customer's id.</returns>
    public async Task<string> CreateCustomer(Organization organization, CancellationToken ct)
    {
        // Stripe repeats its response to an idempotency key for a day, even if the response is a failure. So the key
        // contains the revision, which changes after a failed attempt and after the customer was deleted. The creation
        // time makes the keys of two installations different when they share a Stripe account and an organization id.
        var idempotencyKey = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"customer\0{organization.Id}\0{organization.CreatedAt.UtcTicks}\0{organization.StripeRevision}\0{organization.Name}"))));
        var options = new CustomerCreateOptions { Name = organization.Name, Metadata = new() { ["organization"] = organization.Id } };
        var customer = await Send("POST customers", () => new CustomerService(_client).CreateAsync(options, Idempotent(idempotencyKey), ct),
            ct);
        return IsPlainText(customer.Id) ? customer.Id : throw new BillingException(BillingFailure.Unreachable);
    }

    /// <summary>Creates a page where a person pays for a plan.</summary>
    /// <returns>The URL of the page.</returns>
    public async Task<string> Checkout(string organization, string customer, Plan plan, CancellationToken ct)
    {
        var options = new SessionCreateOptions
        {
            Mode = "subscription",
            Customer = customer,
            ClientReferenceId = organization,
            LineItems = [new() { Price = Settings.PriceOf(plan), Quantity = 1 }],
            SubscriptionData = new() { Metadata = new() { ["organization"] = organization } },
            SuccessUrl = ReturnUrl("done"),
            CancelUrl = ReturnUrl("cancelled"),
        };
        return PageUrl((await Send("POST checkout/sessions", () => new SessionService(_client).CreateAsync(options, Idempotent(), ct), ct))
            .Url);
    }

    /// <summary>Creates a page where a person changes or cancels the subscription.</summary>
    /// <returns>The URL of the page.</returns>
    public async Task<string> Portal(string customer, CancellationToken ct)
    {
        var options = new PortalSessionCreateOptions { Customer = customer, ReturnUrl = Settings.ReturnUrl.ToString() };
        return PageUrl(
            (await Send("POST billing_portal/sessions", () => new PortalSessionService(_client).CreateAsync(options, Idempotent(), ct), ct))
                .Url);
    }

    /// <summary>The subscriptions of a customer, including ended ones; at most 1,000.</summary>
    /// <returns>Null when the customer, and with it every subscription, was deleted.</returns>
    public async Task<IReadOnlyList<StripeSubscription>?> Subscriptions(string customer, CancellationToken ct)
    {
        List<StripeSubscription> all = [];
        var missing = false;
        try
        {
            for (var page = 0; page < MaxPages; page++)
            {
                var options = new SubscriptionListOptions
                {
                    Customer = customer,
                    Status = "all",
                    Limit = 100,
                    StartingAfter = all.Count == 0 ? null : all[^1].Id
                };
                var list = await Send("GET subscriptions", () => new SubscriptionService(_client).ListAsync(options, null, ct), ct);
                all.AddRange(StripeSubscription.Read(list));
                if (all.Count == 0 || !list.HasMore)
                {
                    break;
                }
            }
        }
        catch (BillingException refused) when (refused.Failure == BillingFailure.Missing)
        {
            missing = true;
        }

        if (all.Exists(subscription => subscription.GrantsPlan))
        {
            return all;
        }

        // With an API key of another Stripe account, every customer is reported as not found. A customer counts as
        // deleted only if Stripe returns the `deleted` flag; otherwise a wrong key would downgrade everyone.
        var found = await Send("GET customers", () => new CustomerService(_client).GetAsync(customer, null, null, ct), ct);
        return found.Deleted == true ? null : missing ? throw new BillingException(BillingFailure.Missing) : all;
    }

    private string ReturnUrl(string outcome) =>
        $"{Settings.ReturnUrl}{(Settings.ReturnUrl.Query.Length > 0 ? '&' : '?')}checkout={outcome}";

    private static RequestOptions Idempotent(string? key = null) => new() { IdempotencyKey = key ?? Guid.NewGuid().ToString() };

    // A person's browser opens this URL, so it must be https.
    private static string PageUrl(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps
        ? page.AbsoluteUri
        : throw new BillingException(BillingFailure.Unreachable);

    private async Task<T> Send<T>(string request, Func<Task<T>> send, CancellationToken ct)
    {
        try
        {
            return await send();
        }
        // Every exception is replaced: the library's exceptions contain Stripe's response, and its parser throws many
        // types for an unexpected response.
        catch (Exception exception) when (exception is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            throw new BillingException(Classify(request, exception));
        }
    }

    private BillingFailure Classify(string request, Exception exception)
    {
        if (exception is not StripeException { HttpStatusCode: var status and not 0 } refused)
        {
            LogUnreachable(request, exception is HttpRequestException broken ? broken.HttpRequestError.ToString()
                : exception is OperationCanceledException or ExecutionRejectedException
                ? $"no response within {Settings.Timeout.TotalSeconds} seconds, or too many recent failures"
                : "its response cannot be read");
            return BillingFailure.Unreachable;
        }

        var code = PlainText(refused.StripeError?.Code);
        LogRefused(request, (int)status, PlainText(refused.StripeError?.Type), code, PlainText(refused.StripeResponse?.RequestId));
        return status switch
        {
            // Stripe answered with a success status, but the library cannot read the body.
            < HttpStatusCode.MultipleChoices => BillingFailure.Unreachable,
            // Conflict: another request with the same idempotency key is still running.
            HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict => BillingFailure.Unreachable,
            >= HttpStatusCode.InternalServerError => BillingFailure.Failed,
            _ => code == "resource_missing" ? BillingFailure.Missing : BillingFailure.Refused,
        };
    }

    private static string PlainText(string? text) => IsPlainText(text) ? text! : "none";

    private static bool IsPlainText(string? text) =>
        text is { Length: > 0 and <= 255 } && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Stripe answered {Request} with {Status}: type {Type}, code {Code}, Stripe request id {RequestId}")]
    private partial void LogRefused(string request, int status, string type, string code, string requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The request {Request} to Stripe failed: {Reason}")]
    private partial void LogUnreachable(string request, string reason);
}

/// <summary>Why a request to Stripe failed.</summary>
internal enum BillingFailure
{
    /// <summary>No response arrived in time, the response cannot be read, or Stripe asks to try again later.</summary>
    Unreachable,

    /// <summary>Stripe answered with a server error.</summary>
    Failed,

    /// <summary>The object in the request does not exist.</summary>
    Missing,

    /// <summary>Stripe rejected the request, or the API key lacks a permission.</summary>
    Refused,
}

/// <summary>A request to Stripe failed. The message contains nothing of Stripe's response.</summary>
internal sealed class BillingException(BillingFailure failure) : Exception($"The request to Stripe failed: {failure}.")
{
    public BillingFailure Failure { get; } = failure;
}
