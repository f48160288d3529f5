namespace Catalog.Tests.Support;

/// <summary>A fault of Stripe.</summary>
public enum StripeFault
{
    None,
    InternalError,
    RateLimited,

    /// <summary>The key is unknown.</summary>
    Unauthorized,

    /// <summary>The connection is reset before the request is processed.</summary>
    Reset,

    /// <summary>The request is processed, and the connection is reset before the answer.</summary>
    ResetAfter,
    NoResponse,
    Redirect,

    /// <summary>200 with an HTML page, as from a proxy.</summary>
    Html,

    /// <summary>200 with unexpected JSON.</summary>
    UnexpectedJson,

    /// <summary>The right answer and 8 MiB of blanks after it.</summary>
    OversizedBody,

    /// <summary>Half of the right answer, then nothing more on an open connection.</summary>
    StopsMidBody,

    /// <summary>Half of the right answer, then the connection is reset.</summary>
    ResetsMidBody,
}
