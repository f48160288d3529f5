namespace Catalog.Api.Authentication.Oidc;

/// <summary>What a token turned out to be: one of the three is set.</summary>
/// <param name="Caller">Whom the token speaks for.</param>
/// <param name="Refusal">Why it is refused: for the log, never for an answer.</param>
/// <param name="ProviderAway">No key has been read yet, so nothing can be said.</param>
internal readonly record struct TokenVerdict(TokenCaller? Caller = null, string? Refusal = null, bool ProviderAway = false);

/// <summary>Whom a good token speaks for.</summary>
internal sealed record TokenCaller
{
    public required string Organization { get; init; }

    public required string Subject { get; init; }

    /// <summary>Words of ours only.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>From here on the token is refused.</summary>
    public required DateTimeOffset Ends { get; init; }
}
