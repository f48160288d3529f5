using System.Globalization;
using Catalog.Api.Authentication;
using Catalog.Api.Http;

namespace Catalog.Api.Organizations;

/// <summary>
/// Limits the requests per minute of each organization by its plan, and returns the remaining number in each response
/// (draft-ietf-httpapi-ratelimit-headers, in the version with three headers, which clients support).
/// </summary>
internal sealed class RateLimiting(RequestDelegate next, PlanCache plans, RequestRates rates)
{
    public async Task Invoke(HttpContext context)
    {
        // Only /api is limited. Probes stay available, even with a key in the request.
        if (context.User.Identity is { IsAuthenticated: true } && context.Request.Path.StartsWithSegments("/api"))
        {
            var organization = Caller.Of(context.User).Organization;
            if (await plans.PlanOf(organization, context.RequestAborted) is not { } plan)
            {
                await Problems.OrganizationUnknown().ExecuteAsync(context);
                return;
            }

            if (plan.RequestsPerMinute is { } perMinute)
            {
                var allowance = await rates.Take(organization, perMinute, context.RequestAborted);
                SetHeaders(context.Response.Headers, perMinute, allowance);
                if (!allowance.Allowed)
                {
                    await Problems.RateLimited(plan, Math.Max(1, allowance.SecondsUntilNext)).ExecuteAsync(context);
                    return;
                }
            }
        }

        await next(context);
    }

    private static void SetHeaders(IHeaderDictionary headers, int perMinute, Allowance allowance)
    {
        headers["RateLimit-Limit"] = perMinute.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Remaining"] = allowance.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Reset"] = allowance.SecondsUntilFull.ToString(CultureInfo.InvariantCulture);
    }
}
