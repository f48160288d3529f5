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
            .AddSingleton(provider => new StripeApi(
                settings, provider.GetRequiredService<IHttpClientFactory>(), provider.GetRequiredService<ILogger<StripeApi>>()))
            .AddSingleton<PlanSync>()
            .AddSingleton<Checkout>();
    }

    public static void MapBilling(this IEndpointRouteBuilder routes)
    {
        var billing = routes.MapGroup("/billing").WithTags("Billing").AsksStripe();

        billing.MapPost("/checkout", PostCheckout).WithName("BeginCheckout").Requires(Scopes.Manage).Reads<PostCheckout>()
            .Produces<BillingPage>(201).Refuses(404, 409, 501, 502)
            .WithSummary("Start a subscription to a plan; the response contains the URL of the payment page");
        billing.MapPost("/portal", PostPortal).WithName("OpenBillingPortal").Requires(Scopes.Manage)
            .Produces<BillingPage>(201).Refuses(404, 409, 501, 502)
            .WithSummary("Change or cancel the subscription; the response contains the URL of the billing portal");
    }

    public static void MapStripeWebhook(this IEndpointRouteBuilder routes) => routes.MapPost("/webhooks/stripe", PostWebhookEvent)
        .AddEndpointFilter(RequireConfigured).WithTags("Billing").WithName("ReceiveStripeEvent")
        .Produces(200).Refuses(400, 413, 415, 501, 503)
        .WithSummary("Receive a webhook event of Stripe, signed with the endpoint's secret. An event may be sent again safely")
        .AddOpenApiOperationTransformer((operation, _, _) =>
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = "Stripe-Signature",
                In = ParameterLocation.Header,
                Required = true,
                Description = "The timestamp, and the HMAC-SHA256 of timestamp and body: t=…,v1=…",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
            return Task.CompletedTask;
        });

    /// <summary>
    /// The route needs Stripe. It answers with a problem when billing is not configured or a request to Stripe fails.
    /// </summary>
    public static TBuilder AsksStripe<TBuilder>(this TBuilder route) where TBuilder : IEndpointConventionBuilder =>
        route.AddEndpointFilter(RequireConfigured).AddEndpointFilter(HandleStripeFailure);

    private static async Task<IResult> PostCheckout(Body<PostCheckout> body, Caller caller, Checkout checkout, CancellationToken ct) =>
        await checkout.Begin(caller, Plan.Of(body.Value.Plan!), ct) is var (url, problem) && problem is null ? Page(url!) : problem!;

    private static async Task<IResult> PostPortal(Caller caller, Checkout checkout, CancellationToken ct) =>
        await checkout.OpenPortal(caller, ct) is var (url, problem) && problem is null ? Page(url!) : problem!;

    private static async Task<IResult> PostWebhookEvent(HttpContext context, StripeApi stripe, PlanSync plans, TimeProvider time,
        CancellationToken ct)
    {
        var (bytes, problem) = await RequestBody.ReadBytes(context);
        if (problem is not null)
        {
            return problem;
        }

        // Stripe sends UTF-8, and its library verifies the signature of text, not of bytes.
        if (!Utf8.IsValid(bytes.Span))
        {
            return Problems.Malformed("The body is not UTF-8.");
        }

        var now = time.Now();
        var signature = context.Request.Headers["Stripe-Signature"];
        if (signature.Count != 1 || !StripeSignature.IsValid(signature[0], bytes.Span, stripe.Settings.WebhookSecrets, now))
        {
            return Problems.SignatureInvalid();
        }

        if (StripeWebhookBody.Read(bytes, now) is not { } webhook)
        {
            return Problems.Malformed("The body is not a Stripe event: an object with id, type, created and data.");
        }

        try
        {
            return await plans.Apply(webhook, ct) ? TypedResults.Ok() : Problems.StripeUnavailable();
        }
        catch (BillingException)
        {
            // The event was not applied. An error status makes Stripe send it again.
            return Problems.StripeUnavailable();
        }
    }

    private static IResult Page(string url) => TypedResults.Created((string?)null, new BillingPage { Url = url });

    private static ValueTask<object?> RequireConfigured(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.RequestServices.GetRequiredService<StripeApi>().IsConfigured
            ? next(context) : ValueTask.FromResult<object?>(Problems.BillingNotConfigured());

    private static async ValueTask<object?> HandleStripeFailure(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (BillingException exception)
        {
            return exception.Failure is BillingFailure.Refused or BillingFailure.Missing
                ? Problems.StripeRefused() : Problems.StripeUnavailable();
        }
    }
}
