using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Api.SignIn;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Pages.SignIn;

/// <summary>Sign-in, sign-out and the choice of the time zone.</summary>
internal static class SignInPages
{
    public static void MapSignInPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/sign-in", Show).ReadsSession().WithMetadata(new AcceptsAnyQuery());
        pages.MapPost("/sign-in", SignIn).ReadsSession().DisableAntiforgery().RequiresForm();
        pages.MapGet("/sign-in/provider", AtProvider).WithMetadata(new AcceptsAnyQuery());
        pages.MapPost("/sign-out", (Delegate)SignOut).ReadsSession().DisableAntiforgery().RequiresForm();
        pages.MapPost("/time-zone", SetTimeZone).ReadsSession().DisableAntiforgery().RequiresForm();
    }

    private static IResult Show(string? next, string? failed, HttpContext context) =>
        Page(context, next, failed == "provider" ? "The OpenID provider did not sign you in, or its token has no access to this service."
            + " Try again, or ask the operator for access." : null, StatusCodes.Status200OK);

    private static async Task<IResult> SignIn(
        [FromForm] string? key, [FromForm] string? next, HttpContext context, KeyVerifier verifier, SessionTicket tickets, PlanCache plans,
        RepeatedWarnings warnings)
    {
        var text = key?.Trim() ?? "";
        var user = text.Length is 0 or > 4096 ? null : await verifier.Find(context, text);
        if (user is null || await plans.PlanOf(Caller.Of(user).Organization, context.RequestAborted) is null)
        {
            warnings.InvalidKey(context.Connection.RemoteIpAddress);
            return Page(context, next, "This key is not valid: it is unknown, expired or revoked. Paste the complete key.",
                StatusCodes.Status401Unauthorized);
        }

        await context.SignInAsync(SignInServices.Scheme, tickets.OfKey(user, text));
        return TypedResults.LocalRedirect(Local(next));
    }

    private static async Task<IResult> AtProvider(string? next, HttpContext context) =>
        !OffersProvider(context) ? Problems.PathUnknown()
        : await OidcSignIn.TryChallenge(context, Local(next)) ? TypedResults.Empty
        : Page(context, next, "The OpenID provider does not answer. Try again later, or sign in with a key.",
            StatusCodes.Status503ServiceUnavailable);

    private static bool OffersProvider(HttpContext context) => context.RequestServices.GetService<OidcSignInSettings>() is not null;

    private static IResult Page(HttpContext context, string? next, string? failure, int status) => PageResult.Of<SignInPage>(
        status, (nameof(SignInPage.Next), Local(next)), (nameof(SignInPage.Failure), failure),
        (nameof(SignInPage.OffersProvider), OffersProvider(context)),
        (nameof(SignInPage.OffersDevelopmentKey), context.RequestServices.GetRequiredService<KeyVerifier>().DevelopmentKeysWork(context)));

    private static async Task<IResult> SignOut(HttpContext context, SessionTicket tickets)
    {
        await tickets.End(context);
        await context.SignOutAsync(SignInServices.Scheme);
        return TypedResults.LocalRedirect(SignInServices.Path);
    }

    private static IResult SetTimeZone(IFormCollection form, HttpContext context)
    {
        // The form may send two zones. The zone of a button comes after that of the text field and is used.
        if (Viewer.FindZone(form["zone"].LastOrDefault()?.Trim()) is not { } found)
        {
            return Problems.Invalid("zone", "must be the name of an IANA time zone, such as Europe/Berlin or UTC.");
        }

        Viewer.Remember(context, Viewer.ZoneCookie, found.Id);
        return TypedResults.LocalRedirect(Local(form["next"]));
    }

    // Accepts only a page of this service. Otherwise a link to the sign-in page could lead people to another site.
    private static string Local(string? next) =>
        next is { Length: <= 4096 } && next.All(character => character is > ' ' and < '\u007f')
        && (next == "/ui" || next.StartsWith("/ui/", StringComparison.Ordinal) || next.StartsWith("/ui?", StringComparison.Ordinal))
        && !next.Contains('\\', StringComparison.Ordinal) ? next : "/ui";
}
