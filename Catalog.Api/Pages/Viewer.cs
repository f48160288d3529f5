using System.Globalization;
using Catalog.Api.Http;
using Catalog.Data;

namespace Catalog.Api.Pages;

/// <summary>Who reads a page, and how times are shown to them.</summary>
/// <param name="Caller">The signed-in caller; null on pages without sign-in.</param>
/// <param name="Zone">The time zone of all times on the page.</param>
/// <param name="Now">The time of the request.</param>
public sealed record Viewer(Caller? Caller, TimeZoneInfo Zone, DateTimeOffset Now)
{
    /// <summary>The cookie with the id of the reader's time zone.</summary>
    public const string ZoneCookie = "catalog-zone";

    public static Viewer Of(HttpContext context) => new(
        (context.User as CallerPrincipal)?.Caller,
        FindZone(context.Request.Cookies[ZoneCookie]) ?? TimeZoneInfo.Utc,
        context.RequestServices.GetRequiredService<TimeProvider>().Now());

    /// <summary>Finds an IANA time zone.</summary>
    /// <returns>The zone; null when no zone has this id.</returns>
    public static TimeZoneInfo? FindZone(string? id) =>
        id is { Length: > 0 and <= 64 }
        && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '_' or '-' or '+')
        && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null;

    /// <summary>Remembers a choice of the reader for a year.</summary>
    /// <param name="context">The request.</param>
    /// <param name="cookie">The name of the cookie.</param>
    /// <param name="choice">A valid choice, never the text of a request.</param>
    public static void Remember(HttpContext context, string cookie, string choice) =>
        context.Response.Cookies.Append(cookie, choice, new CookieOptions
        {
            HttpOnly = true,
            IsEssential = true,
            MaxAge = TimeSpan.FromDays(365),
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
        });

    /// <summary>Whether the caller has a scope; false without a caller.</summary>
    public bool May(string scope) => Caller?.Scopes.Contains(scope) == true;

    /// <summary>A time in the reader's zone, such as <c>2026-11-27 09:15:04</c>.</summary>
    public string Text(DateTimeOffset time) => In(Zone, time);

    /// <summary>A time in UTC with the zone's name, for tooltips.</summary>
    public static string Utc(DateTimeOffset time) => $"{In(TimeZoneInfo.Utc, time)} UTC";

    /// <summary>A time as its distance from now, such as <c>3 min ago</c> or <c>in 2 h</c>.</summary>
    public string Age(DateTimeOffset time)
    {
        var distance = Now - time;
        return distance.Duration() < TimeSpan.FromSeconds(5) ? "now"
            : distance > TimeSpan.Zero ? $"{DisplayText.Duration(distance)} ago" : $"in {DisplayText.Duration(-distance)}";
    }

    /// <summary>
    /// A count with separators. If the real number may be larger, it has a plus sign, such as <c>10,000+</c>.
    /// </summary>
    public static string Count(long count, bool isMinimum) => isMinimum ? $"{DisplayText.Count(count)}+" : DisplayText.Count(count);

    private static string In(TimeZoneInfo zone, DateTimeOffset time) =>
        TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
