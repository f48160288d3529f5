using System.Globalization;
using Catalog.Api.Authentication;
using Catalog.Api.Http;

namespace Catalog.Api.Organizations;

/// <summary>
/// Holds every request with a key or token to its organization's plan, and says in each answer what is left
/// (draft-ietf-httpapi-ratelimit-headers, in the form with three headers that clients know).
/// </summary>
internal sealed class RateLimiting(RequestDelegate next, KnownOrganizations organizations, RequestRates rates)
{
    public async Task Invoke(HttpContext context)
    {
        // Probes and the like lie outside, and stay open for those who send a key along.
        if (context.User.Identity is { IsAuthenticated: true } && context.Request.Path.StartsWithSegments("/api"))
        {
            var organization = Caller.Of(context.User).Organization;
            if (await organizations.PlanOf(organization, context.RequestAborted) is not { } plan)
            {
                await Problems.OrganizationUnknown().ExecuteAsync(context);
                return;
            }

            if (plan.RequestsPerMinute is { } perMinute)
            {
                var allowance = await rates.Take(organization, perMinute, context.RequestAborted);
                Say(context.Response.Headers, perMinute, allowance);
                if (!allowance.Allowed)
                {
                    await Problems.RateLimited(plan, Math.Max(1, allowance.SecondsToOne)).ExecuteAsync(context);
                    return;
                }
            }
        }

        await next(context);
    }

    private static void Say(IHeaderDictionary headers, int perMinute, Allowance allowance)
    {
        headers["RateLimit-Limit"] = perMinute.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Remaining"] = allowance.Left.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Reset"] = allowance.SecondsToFull.ToString(CultureInfo.InvariantCulture);
    }
}
