using System.Diagnostics;

namespace Catalog.Api.Http;

/// <summary>The headers that every answer has.</summary>
internal static class DefaultHeaders
{
    /// <summary>Sets them before the rest of the pipeline runs.</summary>
    public static Task Add(HttpContext context, RequestDelegate next)
    {
        Set(context);
        return next(context);
    }

    /// <summary>Sets them again on an answer that was cleared.</summary>
    public static void Set(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Request-Id"] = RequestId(context);
    }

    // The client's own id where it is safe to repeat, so that both logs name the request alike.
    private static string RequestId(HttpContext context) =>
        context.Request.Headers["X-Request-Id"] is [{ Length: > 0 and <= 128 } given]
        && given.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
            ? given
            : Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;
}
