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
/// The few questions that billing asks of Stripe, through Stripe's library. An answer is treated as anybody's: nothing of it is shown or logged
/// but words and ids of a known form. <see cref="StripeHttp"/> bounds its size and time, and asks again.
/// </summary>
internal sealed partial class StripeApi
{
    private const int MostPages = 10;
    private readonly StripeSettings? _settings;
    private readonly StripeClient? _client;
    private readonly ILogger<StripeApi> _log;

    /// <param name="settings">Null: billing is not configured, and nothing may be asked.</param>
    /// <param name="clients">Knows <see cref="StripeHttp.Name"/>.</param>
    /// <param name="log">Told what Stripe refused.</param>
    public StripeApi(StripeSettings? settings, IHttpClientFactory clients, ILogger<StripeApi> log)
    {
        (_settings, _log) = (settings, log);
        _client = settings is null ? null : new StripeClient(new StripeClientOptions
        {
            ApiKey = settings.SecretKey,
            ApiBase = settings.Api.GetLeftPart(UriPartial.Authority),
            // Its telemetry keeps a number of this machine and sends how long earlier requests took.
            HttpClient = new SystemNetHttpClient(clients.CreateClient(StripeHttp.Name), maxNetworkRetries: 0, enableTelemetry: false),
        });
    }

    public bool IsConfigured => _settings is not null;

    public StripeSettings Settings => _settings ?? throw new InvalidOperationException("Billing is not configured.");

    /// <summary>Makes the customer of an organization: the same one for all who ask while the organization is as it was read.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> CreateCustomer(Organization organization, CancellationToken ct)
    {
        // Stripe repeats its answer to a key for a day, a failure too; the revision moves on when an attempt was given up or a customer deleted.
        // Two installations of one account may each have an organization of this name, but not one that was made at the same microsecond.
        var once = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"customer\0{organization.Id}\0{organization.CreatedAt.UtcTicks}\0{organization.StripeRevision}\0{organization.Name}"))));
        var wanted = new CustomerCreateOptions { Name = organization.Name, Metadata = new() { ["organization"] = organization.Id } };
        var customer = await Ask("POST customers", () => new CustomerService(_client).CreateAsync(wanted, Once(once), ct), ct);
        return IsWord(customer.Id) ? customer.Id : throw new BillingException(BillingFailure.Unreachable);
    }

    /// <summary>A page where somebody pays for a plan.</summary>
    public async Task<string> Checkout(string organization, string customer, Plan plan, CancellationToken ct)
    {
        var wanted = new SessionCreateOptions
        {
            Mode = "subscription",
            Customer = customer,
            ClientReferenceId = organization,
            LineItems = [new() { Price = Settings.PriceOf(plan), Quantity = 1 }],
            SubscriptionData = new() { Metadata = new() { ["organization"] = organization } },
            SuccessUrl = Return("done"),
            CancelUrl = Return("cancelled"),
        };
        return Page((await Ask("POST checkout/sessions", () => new SessionService(_client).CreateAsync(wanted, Once(), ct), ct)).Url);
    }

    /// <summary>A page where somebody changes or ends what is paid for.</summary>
    public async Task<string> Portal(string customer, CancellationToken ct)
    {
        var wanted = new PortalSessionCreateOptions { Customer = customer, ReturnUrl = Settings.ReturnUrl.ToString() };
        return Page((await Ask("POST billing_portal/sessions", () => new PortalSessionService(_client).CreateAsync(wanted, Once(), ct), ct)).Url);
    }

    /// <summary>All subscriptions of a customer, those that have ended too.</summary>
    /// <returns>Null when the customer was deleted, and its subscriptions with it.</returns>
    public async Task<IReadOnlyList<StripeSubscription>?> Subscriptions(string customer, CancellationToken ct)
    {
        List<StripeSubscription> all = [];
        var missing = false;
        try
        {
            for (var page = 0; page < MostPages; page++)
            {
                var wanted = new SubscriptionListOptions { Customer = customer, Status = "all", Limit = 100, StartingAfter = all.Count == 0 ? null : all[^1].Id };
                var list = await Ask("GET subscriptions", () => new SubscriptionService(_client).ListAsync(wanted, null, ct), ct);
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

        if (all.Exists(subscription => subscription.Holds))
        {
            return all;
        }

        // A key of another account finds no customer at all. That must not downgrade anyone: require Stripe's `deleted` flag.
        var found = await Ask("GET customers", () => new CustomerService(_client).GetAsync(customer, null, null, ct), ct);
        return found.Deleted == true ? null : missing ? throw new BillingException(BillingFailure.Missing) : all;
    }

    private string Return(string outcome) => $"{Settings.ReturnUrl}{(Settings.ReturnUrl.Query.Length > 0 ? '&' : '?')}checkout={outcome}";

    private static RequestOptions Once(string? key = null) => new() { IdempotencyKey = key ?? Guid.NewGuid().ToString() };

    // A person's browser is sent there.
    private static string Page(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps
        ? page.AbsoluteUri
        : throw new BillingException(BillingFailure.Unreachable);

    private async Task<T> Ask<T>(string question, Func<Task<T>> ask, CancellationToken ct)
    {
        try
        {
            return await ask();
        }
        // All of them: the library's exceptions hold what Stripe answered, and its reader lets out whatever it meets in an answer of another form.
        catch (Exception exception) when (exception is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            throw new BillingException(Judge(question, exception));
        }
    }

    private BillingFailure Judge(string question, Exception exception)
    {
        if (exception is not StripeException { HttpStatusCode: var status and not 0 } refused)
        {
            LogUnreachable(question, exception is HttpRequestException broken ? broken.HttpRequestError.ToString()
                : exception is OperationCanceledException or ExecutionRejectedException ? $"no answer within {Settings.Timeout.TotalSeconds} seconds, or too many failures before"
                : "its answer cannot be read");
            return BillingFailure.Unreachable;
        }

        var code = Word(refused.StripeError?.Code);
        LogRefused(question, (int)status, Word(refused.StripeError?.Type), code, Word(refused.StripeResponse?.RequestId));
        return status switch
        {
            // An answer of another form.
            < HttpStatusCode.MultipleChoices => BillingFailure.Unreachable,
            // Conflict: another request with the same key is still being answered.
            HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict => BillingFailure.Unreachable,
            >= HttpStatusCode.InternalServerError => BillingFailure.Failed,
            _ => code == "resource_missing" ? BillingFailure.Missing : BillingFailure.Refused,
        };
    }

    private static string Word(string? text) => IsWord(text) ? text! : "none";

    private static bool IsWord(string? text) =>
        text is { Length: > 0 and <= 255 } && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stripe answered {Question} with {Status}: type {Type}, code {Code}, its request {RequestId}")]
    private partial void LogRefused(string question, int status, string type, string code, string requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stripe did not answer {Question}: {Why}")]
    private partial void LogUnreachable(string question, string why);
}

/// <summary>Why Stripe did not do what it was asked.</summary>
internal enum BillingFailure
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
internal sealed class BillingException(BillingFailure failure) : Exception($"Stripe did not do it: {failure}.")
{
    public BillingFailure Failure { get; } = failure;
}
