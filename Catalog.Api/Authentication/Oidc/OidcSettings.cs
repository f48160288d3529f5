using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Whose access tokens are taken, read once at start.</summary>
internal static class OidcSettings
{
    /// <returns>What is trusted, in the order in which a token looks for its match; nothing where no provider is configured.</returns>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static IReadOnlyList<TokenTrust> Read(IConfiguration configuration)
    {
        // An entry says more about its tokens than the authority does, which takes any subject.
        var trusts = Setting.Text(configuration, "DATAXPIPE_OIDC_TRUST") is { } json ? OidcTrustSetting.Read(json) : [];
        return Authority(configuration) is { } authority ? [.. trusts, authority] : trusts;
    }

    /// <summary>Whether an issuer's address can be one: what is read there comes unchanged from whom it names.</summary>
    public static bool IsIssuer(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsSafe(uri) && uri.Query == "" && uri.Fragment == "";

    /// <summary>Whether what is read there comes unchanged from whom the address names.</summary>
    public static bool IsSafe(Uri uri) =>
        uri.UserInfo == "" && uri.Host != "" && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private static TokenTrust? Authority(IConfiguration configuration)
    {
        var authority = Setting.Text(configuration, "DATAXPIPE_OIDC_AUTHORITY");
        var audience = Setting.Text(configuration, "DATAXPIPE_OIDC_AUDIENCE");
        var claim = Setting.Text(configuration, "DATAXPIPE_OIDC_ORGANIZATION_CLAIM");
        var organization = Setting.Text(configuration, "DATAXPIPE_OIDC_ORGANIZATION");
        if (authority is null)
        {
            return audience is null && claim is null && organization is null ? null : throw new SettingException(
                "DATAXPIPE_OIDC_AUDIENCE, DATAXPIPE_OIDC_ORGANIZATION or DATAXPIPE_OIDC_ORGANIZATION_CLAIM is set without "
                + "DATAXPIPE_OIDC_AUTHORITY, to which they belong. Set it to the provider's issuer, or leave them out.");
        }

        if (!IsIssuer(authority))
        {
            throw new SettingException(
                "DATAXPIPE_OIDC_AUTHORITY must be the provider's issuer, such as https://login.example.com/realms/data: https (http for "
                + "loopback only), without a user, a query or a fragment.");
        }

        if (organization is not null && (claim is not null || !Organization.IsId(organization)))
        {
            throw new SettingException(
                "DATAXPIPE_OIDC_ORGANIZATION must be the id of one organization, for all tokens of DATAXPIPE_OIDC_AUTHORITY, and then "
                + "DATAXPIPE_OIDC_ORGANIZATION_CLAIM must be left out. Where each token names its organization, leave this one out.");
        }

        return new()
        {
            Issuer = authority,
            Audience = audience ?? throw new SettingException(
                "DATAXPIPE_OIDC_AUDIENCE is missing: set it to the audience that the provider puts into tokens for this service. Without "
                + "it a token made for any other service would be taken."),
            Organization = organization,
            OrganizationClaim = claim ?? "organization",
        };
    }
}
