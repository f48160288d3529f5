namespace Catalog.Api.Http;

/// <summary>The maximum sizes of a request.</summary>
internal static class RequestLimits
{
    /// <summary>The maximum number of bytes of a body on a route without a <see cref="BodyLimit"/>.</summary>
    public const long Body = 1024 * 1024;

    /// <summary>The maximum number of bytes of a body on routes that accept many items.</summary>
    public const long BulkBody = 32 * 1024 * 1024;

    /// <summary>
    /// The number of bytes of a body above which Kestrel closes the connection. A smaller body that is too large for
    /// its route gets a problem response.
    /// </summary>
    public const long ServerBody = 256 * 1024 * 1024;

    /// <summary>
    /// The number of bytes of the request line, and of all headers, above which Kestrel rejects the request without a
    /// response body.
    /// </summary>
    public const int ServerHead = 512 * 1024;

    /// <summary>The maximum number of characters of the path and query, after decoding.</summary>
    public const int RequestLine = 8 * 1024;

    /// <summary>The maximum number of characters of all header names and values.</summary>
    public const int Headers = 32 * 1024;

    /// <summary>The maximum number of items in one request.</summary>
    public const int BulkItems = 1000;
}

/// <summary>The maximum body size of a route, in bytes.</summary>
internal sealed record BodyLimit(long Bytes);
