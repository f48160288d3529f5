using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;

namespace Catalog.Api.Http;

/// <summary>
/// Entity tags (RFC 9110, 8.8.3) of reads of one object: a hash of the response body, so that every visible change
/// changes the tag.
/// </summary>
internal static class ETags
{
    /// <summary>The route returns an ETag, and 304 when <c>If-None-Match</c> contains it.</summary>
    /// <param name="route">The route.</param>
    /// <param name="updatedPart">
    /// Returns the part of a body that updates replace; null when updates replace the whole body. With this part, the
    /// tag has two hashes. <see cref="IfMatch"/> compares only the hash of the part. <c>If-None-Match</c> also compares
    /// the hash of the whole body, so that it notices every change.
    /// </param>
    public static RouteHandlerBuilder HasETag(this RouteHandlerBuilder route, Func<object, object>? updatedPart = null) => route
        .AddEndpointFilter(async (context, next) =>
            await next(context) switch
            {
                IValueHttpResult { Value: { } value } and IStatusCodeHttpResult { StatusCode: 200 } when updatedPart is not null =>
                    new TaggedResult(Serialize(value), Of(Serialize(updatedPart(value)))),
                IValueHttpResult { Value: { } value } and IStatusCodeHttpResult { StatusCode: 200 } => new TaggedResult(Serialize(value)),
                RawJsonResult raw => new TaggedResult(raw.Json),
                var result => result,
            })
        .WithMetadata(new HasETagMetadata())
        .Produces(304);

    /// <summary>The route accepts <c>If-Match</c>, bound as <see cref="IfMatch"/>.</summary>
    public static RouteHandlerBuilder AcceptsIfMatch(this RouteHandlerBuilder route) =>
        route.WithMetadata(new AcceptsIfMatchMetadata()).Refuses(412);

    internal static byte[] Serialize(object value) => JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), ApiJson.Options);

    internal static string Of(ReadOnlySpan<byte> json)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(json, hash);
        return $"\"{Convert.ToHexStringLower(hash[..16])}\"";
    }

    // Weak comparison for If-None-Match, strong comparison for If-Match (RFC 9110, 13.1). If the tag has two hashes,
    // If-Match compares only the first one.
    internal static bool Matches(string? header, string tag, bool weak) =>
        header is not null && header.Split(',').Select(part => part.Trim())
            .Any(part => part == "*" || part == tag
                || (weak ? part == "W/" + tag : part.StartsWith($"{tag[..^1]}.", StringComparison.Ordinal)));

    private sealed class TaggedResult(ReadOnlyMemory<byte> json, string? updatedPart = null) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var tag = updatedPart is null ? Of(json.Span) : $"{updatedPart[..^1]}.{Of(json.Span)[1..]}";
            httpContext.Response.Headers.ETag = tag;
            httpContext.Response.Headers.CacheControl = "private, no-cache";
            if (Matches(httpContext.Request.Headers.IfNoneMatch, tag, weak: true))
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

/// <summary>Marks a route that returns an ETag, for the OpenAPI document.</summary>
internal sealed record HasETagMetadata;

/// <summary>Marks a route that accepts If-Match, for the OpenAPI document.</summary>
internal sealed record AcceptsIfMatchMetadata;

/// <summary>A response whose body is already serialized JSON.</summary>
/// <param name="Json">The response body.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Location">The value of the Location header; null to send no Location header.</param>
internal sealed record RawJsonResult(ReadOnlyMemory<byte> Json, int Status = 200, string? Location = null) : IResult
{
    /// <summary>
    /// Serializes a value into a response with a Content-Length header instead of chunks, for the busiest routes.
    /// </summary>
    public static RawJsonResult Of<T>(T value, int status = 200, string? location = null) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, ApiJson.Options), status, location);

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

/// <summary>
/// The <c>If-Match</c> header of an update: the update is done only if the object has not changed since the client read
/// it.
/// </summary>
internal readonly record struct IfMatch(string? Header)
{
    /// <summary>Whether the client sent the header.</summary>
    public bool Given => Header is not null;

    public static ValueTask<IfMatch> BindAsync(HttpContext context, ParameterInfo parameter) =>
        ValueTask.FromResult(new IfMatch(context.Request.Headers.IfMatch is { Count: > 0 } values ? values.ToString() : null));

    /// <summary>Compares the header with the current state.</summary>
    /// <param name="current">
    /// Returns the object that a read would return now. Called only when the client sent the header.
    /// </param>
    /// <returns>The problem to answer with, or null when the update may be done.</returns>
    public IResult? Check(Func<object> current) => Given ? Check(ETags.Serialize(current())) : null;

    /// <summary>Compares the header with the current state.</summary>
    /// <param name="current">The JSON that a read would return now.</param>
    /// <returns>The problem to answer with, or null when the update may be done.</returns>
    public IResult? Check(ReadOnlySpan<byte> current) =>
        Given && !ETags.Matches(Header, ETags.Of(current), weak: false) ? Problems.PreconditionFailed() : null;

    /// <summary>
    /// The time of last change that the row must still have when it is updated; null when the client sent no
    /// <c>If-Match</c>.
    /// </summary>
    public DateTimeOffset? AsOf(DateTimeOffset lastChange) => Given ? lastChange : null;
}
