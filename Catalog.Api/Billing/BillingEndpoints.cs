using System.Text.Unicode;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Organizations;
using Microsoft.OpenApi;

namespace Catalog.Api.Billing;

internal static class BillingEndpoints
{
    public static IServiceCollection AddBilling(this IServiceCollection services, StripeSettings? settings)
    {
        if (settings is not null)
        {
            services.AddStripeHttp(settings);
        }

        return services.AddHttpClient()
            .AddSingleton(provider => new StripeApi(settings, provider.GetRequiredService<IHttpClientFactory>(), provider.GetRequiredService<ILogger<StripeApi>>()))
            .AddSingleton<PlanFollowing>()
            .AddSingleton<Checkout>();
    }

    public static void MapBilling(this IEndpointRouteBuilder routes)
    {
        var billing = routes.MapGroup("/billing").WithTags("Billing").AddEndpointFilter(OnlyConfigured).AddEndpointFilter(Explained);

        billing.MapPost("/checkout", PostCheckout).WithName("BeginCheckout").Requires(Scopes.Manage).Reads<PostCheckout>()
            .Produces<BillingPage>(201).Refuses(404, 409, 501, 502).WithSummary("Begin to pay for a plan: the answer says where, at Stripe");
        billing.MapPost("/portal", PostPortal).WithName("OpenBillingPortal").Requires(Scopes.Manage)
            .Produces<BillingPage>(201).Refuses(404, 409, 501, 502).WithSummary("Change or end what is paid for: the answer says where, at Stripe");
    }

    public static void MapStripeNotices(this IEndpointRouteBuilder routes) => routes.MapPost("/webhooks/stripe", PostNotice)
        .AddEndpointFilter(OnlyConfigured).WithTags("Billing").WithName("ReceiveStripeEvent")
        .Produces(200).Refuses(400, 413, 415, 501, 503).WithSummary("What Stripe tells of subscriptions, signed with the endpoint's secret. Safe to send again")
        .AddOpenApiOperationTransformer((operation, _, _) =>
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = "Stripe-Signature",
                In = ParameterLocation.Header,
                Required = true,
                Description = "The time and the HMAC-SHA256 of time and body: t=…,v1=…",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
            return Task.CompletedTask;
        });

    private static async Task<IResult> PostCheckout(Body<PostCheckout> body, Caller caller, Checkout checkout, CancellationToken ct) =>
        await checkout.Begin(caller, Plan.Of(body.Value.Plan!), ct) is var (url, problem) && problem is null ? Page(url!) : problem!;

    private static async Task<IResult> PostPortal(Caller caller, OrganizationRepository organizations, StripeApi stripe, CancellationToken ct) =>
        await organizations.Find(caller.Organization, ct) is not { } organization ? Problems.NotFound("organization")
        : organization.Plan == Plan.SelfHosted.Name && organization.StripeCustomerId is null ? Problems.SelfHosted()
        : organization.StripeCustomerId is not { } customer ? Problems.NoCustomer()
        : Page(await stripe.Portal(customer, ct));

    private static async Task<IResult> PostNotice(HttpContext context, StripeApi stripe, PlanFollowing plans, TimeProvider time, CancellationToken ct)
    {
        var (bytes, problem) = await JsonBody.ReadBytes(context);
        if (problem is not null)
        {
            return problem;
        }

        // Stripe writes UTF-8, and its library signs text.
        if (!Utf8.IsValid(bytes.Span))
        {
            return Problems.Malformed("The body is not UTF-8.");
        }

        var now = time.Now();
        var signature = context.Request.Headers["Stripe-Signature"];
        if (signature.Count != 1 || !StripeSignature.Holds(signature[0], bytes.Span, stripe.Settings.WebhookSecrets, now))
        {
            return Problems.SignatureInvalid();
        }

        if (StripeEvent.Read(bytes, now) is not { } happened)
        {
            return Problems.Malformed("The body is no event of Stripe: an object with id, type, created and data.");
        }

        try
        {
            return await plans.Follow(happened, ct) ? TypedResults.Ok() : Problems.StripeUnavailable();
        }
        catch (BillingException)
        {
            // Whatever it was, the event must come again: it is not applied.
            return Problems.StripeUnavailable();
        }
    }

    private static IResult Page(string url) => TypedResults.Created((string?)null, new BillingPage { Url = url });

    private static ValueTask<object?> OnlyConfigured(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.RequestServices.GetRequiredService<StripeApi>().IsConfigured ? next(context) : ValueTask.FromResult<object?>(Problems.BillingNotConfigured());

    private static async ValueTask<object?> Explained(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (BillingException exception)
        {
            return exception.Failure is BillingFailure.Refused or BillingFailure.Missing ? Problems.StripeRefused() : Problems.StripeUnavailable();
        }
    }
}
