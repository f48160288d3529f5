using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;

namespace Catalog.Api.Http;

/// <summary>
/// Entity tags (RFC 9110, 8.8.3) of single reads: a hash of what is answered, so that whatever can be seen in an answer changes it.
/// </summary>
internal static class ETags
{
    /// <summary>The route answers with an ETag, and with 304 when <c>If-None-Match</c> names it.</summary>
    public static RouteHandlerBuilder HasETag(this RouteHandlerBuilder route) => route
        .AddEndpointFilter(async (context, next) =>
            await next(context) switch
            {
                IValueHttpResult { Value: { } value } and IStatusCodeHttpResult { StatusCode: 200 } => new TaggedResult(Serialize(value)),
                RawAnswer raw => new TaggedResult(raw.Json),
                var result => result,
            })
        .WithMetadata(new HasETagMetadata())
        .Produces(304);

    /// <summary>The route takes <c>If-Match</c>, bound as <see cref="IfMatch"/>.</summary>
    public static RouteHandlerBuilder TakesIfMatch(this RouteHandlerBuilder route) => route.WithMetadata(new TakesIfMatchMetadata()).Refuses(412);

    internal static byte[] Serialize(object value) => JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), ApiJson.Options);

    internal static string Of(ReadOnlySpan<byte> json)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(json, hash);
        return $"\"{Convert.ToHexStringLower(hash[..16])}\"";
    }

    // If-None-Match compares weakly, If-Match strongly (RFC 9110, 13.1).
    internal static bool Names(string? header, string tag, bool weakly) =>
        header is not null && header.Split(',').Select(part => part.Trim()).Any(part => part == "*" || part == tag || (weakly && part == "W/" + tag));

    private sealed class TaggedResult(ReadOnlyMemory<byte> json) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var tag = Of(json.Span);
            httpContext.Response.Headers.ETag = tag;
            httpContext.Response.Headers.CacheControl = "private, no-cache";
            if (Names(httpContext.Request.Headers.IfNoneMatch, tag, weakly: true))
            {
                httpContext.Response.StatusCode = 304;
                return;
            }

            httpContext.Response.ContentType = "application/json; charset=utf-8";
            httpContext.Response.ContentLength = json.Length;
            await httpContext.Response.Body.WriteAsync(json, httpContext.RequestAborted);
        }
    }
}

/// <summary>Says of a route that it answers with an ETag, for the document.</summary>
internal sealed record HasETagMetadata;

/// <summary>Says of a route that it takes If-Match, for the document.</summary>
internal sealed record TakesIfMatchMetadata;

/// <summary>An answer that is JSON already.</summary>
/// <param name="Json">The body.</param>
/// <param name="Status">The status.</param>
/// <param name="Location">Where what was made can be read, or null.</param>
internal sealed record RawAnswer(ReadOnlyMemory<byte> Json, int Status = 200, string? Location = null) : IResult
{
    /// <summary>An answer of known length, written in one piece and not in chunks: for the routes that are asked most.</summary>
    public static RawAnswer Of<T>(T value, int status = 200, string? location = null) => new(JsonSerializer.SerializeToUtf8Bytes(value, ApiJson.Options), status, location);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        if (Location is not null)
        {
            httpContext.Response.Headers.Location = Location;
        }

        httpContext.Response.ContentType = "application/json; charset=utf-8";
        httpContext.Response.ContentLength = Json.Length;
        return httpContext.Response.Body.WriteAsync(Json, httpContext.RequestAborted).AsTask();
    }
}

/// <summary>The <c>If-Match</c> of an update: only when what is there is what the client last saw.</summary>
internal readonly record struct IfMatch(string? Header)
{
    /// <summary>Whether the client sent one.</summary>
    public bool Given => Header is not null;

    public static ValueTask<IfMatch> BindAsync(HttpContext context, ParameterInfo parameter) =>
        ValueTask.FromResult(new IfMatch(context.Request.Headers.IfMatch is { Count: > 0 } values ? values.ToString() : null));

    /// <summary>Why the update is refused, or null.</summary>
    /// <param name="current">What a read would answer now.</param>
    public IResult? Refusal(Func<object> current) => Given ? Refusal(ETags.Serialize(current())) : null;

    /// <summary>Why the update is refused, or null.</summary>
    /// <param name="current">The JSON that a read would answer now.</param>
    public IResult? Refusal(ReadOnlySpan<byte> current) =>
        Given && !ETags.Names(Header, ETags.Of(current), weakly: false) ? Problems.PreconditionFailed() : null;

    /// <summary>The change that the update must find to be the last, or null when any will do.</summary>
    public DateTimeOffset? AsOf(DateTimeOffset lastChange) => Given ? lastChange : null;
}
