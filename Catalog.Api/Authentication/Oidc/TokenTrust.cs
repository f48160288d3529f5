using System.Text.RegularExpressions;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Tokens that are taken, and whom they speak for.</summary>
internal sealed record TokenTrust
{
    /// <summary>The issuer to the letter, as tokens and discovery spell it.</summary>
    public required string Issuer { get; init; }

    /// <summary>Tokens must be made for this audience.</summary>
    public required string Audience { get; init; }

    /// <summary>Which subjects, whole and to the letter; null: any.</summary>
    public Regex? Subject { get; init; }

    /// <summary>The organization of all these tokens; null: the one that <see cref="OrganizationClaim"/> names.</summary>
    public string? Organization { get; init; }

    /// <summary>The claim that holds the organization's id, where none is fixed.</summary>
    public string OrganizationClaim { get; init; } = "organization";

    /// <summary>What all these tokens may do; null: what each says in <c>scope</c> or <c>scp</c>.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }
}
