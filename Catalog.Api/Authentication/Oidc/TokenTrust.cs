using System.Text.RegularExpressions;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>A trust rule: which tokens are accepted, and which organization and scopes they get.</summary>
internal sealed record TokenTrust
{
    /// <summary>The issuer, exactly as tokens and the discovery document contain it.</summary>
    public required string Issuer { get; init; }

    /// <summary>The audience that the token must contain.</summary>
    public required string Audience { get; init; }

    /// <summary>Matches the complete subject; null for any subject.</summary>
    public Regex? Subject { get; init; }

    /// <summary>
    /// The organization of all tokens that match this rule; null when each token names it in
    /// <see cref="OrganizationClaim"/>.
    /// </summary>
    public string? Organization { get; init; }

    /// <summary>The claim with the organization's id. Used only when <see cref="Organization"/> is null.</summary>
    public string OrganizationClaim { get; init; } = "organization";

    /// <summary>
    /// The scopes of all tokens that match this rule; null when each token names them in <c>scope</c> or <c>scp</c>.
    /// </summary>
    public IReadOnlyList<string>? Scopes { get; init; }
}
