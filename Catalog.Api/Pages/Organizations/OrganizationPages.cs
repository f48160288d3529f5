using System.Globalization;
using Catalog.Api.Billing;
using Catalog.Api.Http;
using Catalog.Api.Organizations;
using Catalog.Api.SignIn;
using Catalog.Data.Lineage;
using Catalog.Data.Organizations;
using FluentValidation;

namespace Catalog.Api.Pages.Organizations;

/// <summary>
/// The pages of an organization: usage and plan, retention, parts of events that were not understood, and the audit
/// log.
/// </summary>
internal static class OrganizationPages
{
    public static void MapOrganizationPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/usage", Usage).RequiresSession(Scopes.Read);
        pages.MapPost("/usage/checkout", BeginCheckout).RequiresSession(Scopes.Manage).DisableAntiforgery().RequiresForm().AsksStripe();
        pages.MapPost("/usage/portal", OpenPortal).RequiresSession(Scopes.Manage).DisableAntiforgery().RequiresForm().AsksStripe();
        pages.MapGet("/retention", ShowRetention).RequiresSession(Scopes.Read);
        pages.MapPost("/retention", SetRetention).RequiresSession(Scopes.Manage).DisableAntiforgery().RequiresForm();
        pages.MapGet("/unread-facets", ShowUnread).RequiresSession(Scopes.Read);
        pages.MapGet("/audit", AuditLog).RequiresSession(Scopes.Manage).ReadsPage<AuditQuery>();
    }

    private static async Task<IResult> Usage(Caller caller, OrganizationDetails details, StripeApi stripe, CancellationToken ct) =>
        await details.Find(caller.Organization, ct) is { } organization
            ? PageResult.Of<UsagePage>((nameof(UsagePage.Organization), organization), (nameof(UsagePage.HasBilling), stripe.IsConfigured))
            : Problems.OrganizationNotFound();

    private static async Task<IResult> ShowUnread(Caller caller, UnreadFacetRepository unread, CancellationToken ct) =>
        PageResult.Of<UnreadFacetsPage>((nameof(UnreadFacetsPage.Facets), await unread.List(caller.Organization, ct)));

    private static async Task<IResult> BeginCheckout(IFormCollection form, Caller caller, Checkout checkout,
        IValidator<PostCheckout> validator, CancellationToken ct)
    {
        var posted = new PostCheckout { Plan = form["plan"].ToString() is { Length: > 0 } plan ? plan : null };
        if (validator.Errors(posted) is { } errors)
        {
            return Problems.Invalid(errors);
        }

        var (url, problem) = await checkout.Begin(caller, Plan.Of(posted.Plan!), ct);
        return url is null ? problem! : Continue(url, "Pay for the plan");
    }

    private static async Task<IResult> OpenPortal(IFormCollection form, Caller caller, Checkout checkout, CancellationToken ct)
    {
        var (url, problem) = await checkout.OpenPortal(caller, ct);
        return url is null ? problem! : Continue(url, "Change or cancel the subscription");
    }

    // The page shows a link, because the Content-Security-Policy does not let a form lead to another site, not even by
    // a redirect.
    private static IResult Continue(string url, string text) =>
        PageResult.Of<BillingLinkPage>((nameof(BillingLinkPage.Url), url), (nameof(BillingLinkPage.Text), text));

    private static async Task<IResult> ShowRetention(Caller caller, OrganizationDetails details, CancellationToken ct) =>
        await details.Find(caller.Organization, ct) is { } organization
            ? PageResult.Of<RetentionPage>((nameof(RetentionPage.Retention), organization.Retention))
            : Problems.OrganizationNotFound();

    private static async Task<IResult> SetRetention(IFormCollection form, Caller caller, OrganizationDetails details,
        IValidator<PutRetention> validator, CancellationToken ct)
    {
        var retention = new Retention
        {
            RunsKeptDays = Days(form["runs_kept_days"]),
            ResultsKeptDays = Days(form["results_kept_days"]),
            EventsKeptDays = Days(form["events_kept_days"]),
        };
        if (validator.Errors(retention) is { } errors)
        {
            return PageResult.Of<RetentionPage>(StatusCodes.Status422UnprocessableEntity,
                (nameof(RetentionPage.Retention), retention), (nameof(RetentionPage.Errors), errors));
        }

        return await details.SetRetention(caller.Organization, retention, caller, ct) is { } problem
            ? problem : TypedResults.LocalRedirect(Links.Retention);
    }

    private static async Task<IResult> AuditLog([AsParameters] AuditQuery query, [AsParameters] DownloadQuery page, Caller caller,
        AuditRepository audit, HttpContext context, CancellationToken ct)
    {
        var list = Lists.Of(
            query, await audit.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct), AuditItem.From);
        return page.Download is { } format
            ? Download.Of(format, "audit", list, context, ("id", entry => entry.Id), ("occurred_at", entry => entry.OccurredAt),
                ("actor", entry => entry.Actor), ("action", entry => entry.Action), ("object_type", entry => entry.ObjectType),
                ("object_id", entry => entry.ObjectId), ("detail", entry => entry.Detail?.Text))
            : PageResult.Of<AuditPage>((nameof(AuditPage.Query), query), (nameof(AuditPage.Entries), list));
    }

    // Empty text gives null. Text that is not a number gives a number that the validator rejects.
    private static long? Days(string? text) => string.IsNullOrWhiteSpace(text) ? null
        : long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var days) ? days : -1;
}
