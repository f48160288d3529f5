using System.Diagnostics;

namespace Catalog.Api.Http;

/// <summary>The headers of every response.</summary>
internal static class DefaultHeaders
{
    /// <summary>Middleware: sets the headers before the rest of the pipeline runs.</summary>
    public static Task Add(HttpContext context, RequestDelegate next)
    {
        Set(context);
        return next(context);
    }

    /// <summary>Sets the headers. Call it again after <c>Response.Clear()</c>.</summary>
    public static void Set(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Request-Id"] = RequestId(context);
    }

    // The client's id is repeated when its characters are safe, so that the logs of both sides contain the same id.
    private static string RequestId(HttpContext context) =>
        context.Request.Headers["X-Request-Id"] is [{ Length: > 0 and <= 128 } given]
        && given.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
            ? given
            : Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;
}
