namespace Catalog.Api.Http;

/// <summary>The maximum sizes of a request.</summary>
internal static class RequestLimits
{
    /// <summary>Bytes of a body, unless the route has a <see cref="BodyLimit"/>.</summary>
    public const long Body = 1024 * 1024;

    /// <summary>Bytes of a body on routes that accept many items.</summary>
    public const long BulkBody = 32 * 1024 * 1024;

    /// <summary>
    /// Bytes of a body at which Kestrel closes the connection. Smaller bodies that are too large get a problem
    /// response.
    /// </summary>
    public const long ServerBody = 256 * 1024 * 1024;

    /// <summary>
    /// Bytes of the request line, and of all headers, at which Kestrel rejects the request without a response body.
    /// </summary>
    public const int ServerHead = 512 * 1024;

    /// <summary>Characters of the path and query, after decoding.</summary>
    public const int RequestLine = 8 * 1024;

    /// <summary>Characters of all header names and values.</summary>
    public const int Headers = 32 * 1024;

    /// <summary>Items in one request.</summary>
    public const int BulkItems = 1000;
}

/// <summary>The maximum body size of a route, in bytes.</summary>
internal sealed record BodyLimit(long Bytes);
