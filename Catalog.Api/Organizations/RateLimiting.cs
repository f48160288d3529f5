using System.Globalization;
using System.Security.Claims;
using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Api.SignIn;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Catalog.Api.Organizations;

/// <summary>
/// Limits the requests per minute of each organization by its plan. Requests of the API and of the pages count
/// together. Each response contains the number of remaining requests (draft-ietf-httpapi-ratelimit-headers, in the
/// version with three headers, which clients support).
/// </summary>
internal sealed class RateLimiting(RequestDelegate next, PlanCache plans, RequestRates rates)
{
    public async Task Invoke(HttpContext context)
    {
        if (await Limited(context) is { } user)
        {
            var organization = Caller.Of(user).Organization;
            if (await plans.PlanOf(organization, context.RequestAborted) is not { } plan)
            {
                await Problems.OrganizationUnknown().ExecuteAsync(context);
                return;
            }

            if (plan.RequestsPerMinute is { } perMinute)
            {
                var allowance = await rates.Take(organization, perMinute, context.RequestAborted);
                SetHeaders(context.Response.Headers, perMinute, allowance);
                if (!allowance.Allowed && context.GetEndpoint()?.Metadata.GetMetadata<CountsWithoutLimit>() is null)
                {
                    // The error page shows who is signed in.
                    context.User = user;
                    await Problems.RateLimited(plan, Math.Max(1, allowance.SecondsUntilNext)).ExecuteAsync(context);
                    return;
                }
            }
        }

        await next(context);
    }

    // Returns the caller of a request that counts against the limit: a request of the API, or of a page that needs a
    // session. Probes, signing in and out, and the requests that an open page sends by itself do not count; for these
    // the result is null.
    private static async ValueTask<ClaimsPrincipal?> Limited(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/api")
            || context.GetEndpoint()?.Metadata.GetMetadata<CountsWithoutLimit>() is not null)
        {
            return context.User.Identity is { IsAuthenticated: true } ? context.User : null;
        }

        if (context.GetEndpoint()?.Metadata is not { } route || route.GetMetadata<IAllowAnonymous>() is not null
            || !route.GetOrderedMetadata<IAuthorizeData>().Any(data => data.AuthenticationSchemes == SignInServices.Scheme)
            || route.GetMetadata<FollowingRequests>()?.Contain(context.Request) == true)
        {
            return null;
        }

        // The authorization middleware, which authenticates sessions, runs later. It uses this result again.
        return (await context.AuthenticateAsync(SignInServices.Scheme)).Principal;
    }

    private static void SetHeaders(IHeaderDictionary headers, int perMinute, Allowance allowance)
    {
        headers["RateLimit-Limit"] = perMinute.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Remaining"] = allowance.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["RateLimit-Reset"] = allowance.SecondsUntilFull.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>
/// The requests of a route count against the rate of the plan, but the rate never causes their rejection. OpenLineage
/// clients lose an event that is answered with 429, or block their job for the time in Retry-After.
/// </summary>
internal sealed record CountsWithoutLimit;

/// <summary>
/// The requests of a route that an open page sends by itself, to follow a run or an execution. They do not count
/// against the rate of the plan, because the request that opened the page has counted.
/// </summary>
/// <param name="Contain">Whether an open page sends this request by itself.</param>
internal sealed record FollowingRequests(Func<HttpRequest, bool> Contain);
