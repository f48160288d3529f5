namespace Catalog.Api.Http;

/// <summary>How large a request may be.</summary>
internal static class Limits
{
    /// <summary>Bytes of a body, unless its path says otherwise.</summary>
    public const long Body = 1024 * 1024;

    /// <summary>Bytes of a body on paths that take many items.</summary>
    public const long BulkBody = 32 * 1024 * 1024;

    /// <summary>What the server itself cuts off: bodies up to here are refused with a problem that their sender can read.</summary>
    public const long ServerBody = 256 * 1024 * 1024;

    /// <summary>What the server itself cuts off of an address and of the headers, without a body that says why.</summary>
    public const int ServerHead = 512 * 1024;

    /// <summary>Characters of a path and its query, once decoded.</summary>
    public const int RequestLine = 8 * 1024;

    /// <summary>Characters of all headers.</summary>
    public const int Headers = 32 * 1024;

    /// <summary>Items in one post.</summary>
    public const int BulkItems = 1000;
}

/// <summary>Says of a route how large its body may be, in bytes.</summary>
internal sealed record BodyLimit(long Bytes);
