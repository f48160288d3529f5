namespace Catalog.Tests.Support;

/// <summary>A fault of Stripe.</summary>
public enum StripeMisdeed
{
    None,
    InternalError,
    TooMany,

    /// <summary>The key is unknown.</summary>
    Unauthorized,

    /// <summary>The connection is reset before the request is processed.</summary>
    Reset,

    /// <summary>The request is processed, and the connection is reset before the answer.</summary>
    ResetAfter,
    Silence,
    Redirect,

    /// <summary>200 with an HTML page, as from a proxy.</summary>
    Html,

    /// <summary>200 with unexpected JSON.</summary>
    Nonsense,

    /// <summary>The right answer and 8 MiB of blanks after it.</summary>
    Huge,

    /// <summary>Half of the right answer, then nothing more on an open connection.</summary>
    Stalls,

    /// <summary>Half of the right answer, then the connection is reset.</summary>
    BreaksOff,
}
