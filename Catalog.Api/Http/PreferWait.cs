using System.Globalization;
using System.Reflection;

namespace Catalog.Api.Http;

/// <summary>
/// The preference <c>wait=N</c> of the <c>Prefer</c> header (RFC 7240): how long the client waits for an outcome. Other
/// preferences, and values that are no whole number, are ignored, as the RFC says.
/// </summary>
/// <param name="Seconds">
/// The number of seconds, 0 to 60; null when the client sent no valid wait. A longer wait counts as 60.
/// </param>
internal readonly record struct PreferWait(int? Seconds)
{
    private const int MaxSeconds = 60;

    public static ValueTask<PreferWait> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        foreach (var preference in context.Request.Headers["Prefer"].SelectMany(value => (value ?? "").Split(',', ';')))
        {
            if (preference.Split('=', 2, StringSplitOptions.TrimEntries) is [var name, var value]
                && name.Equals("wait", StringComparison.OrdinalIgnoreCase)
                && uint.TryParse(value.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                var applied = (int)Math.Min(seconds, MaxSeconds);
                context.Response.OnStarting(() =>
                {
                    if (context.Response.StatusCode < 300)
                    {
                        context.Response.Headers["Preference-Applied"] = $"wait={applied}";
                    }

                    return Task.CompletedTask;
                });
                return ValueTask.FromResult(new PreferWait(applied));
            }
        }

        return ValueTask.FromResult(new PreferWait(null));
    }
}

/// <summary>Marks a route that accepts <c>Prefer: wait=N</c>, for the OpenAPI document.</summary>
internal sealed record AcceptsWaitMetadata;
