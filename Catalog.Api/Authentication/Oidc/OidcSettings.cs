using Catalog.Data.Organizations;
using Catalog.Data.Settings;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Which access tokens are accepted, read once at start.</summary>
internal static class OidcSettings
{
    /// <returns>
    /// The trust rules, in the order in which a token is matched against them; empty when no provider is configured.
    /// </returns>
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static IReadOnlyList<TokenTrust> Read(IConfiguration configuration)
    {
        // The entries of the setting come first, because they restrict the subject. The rule of the authority accepts
        // any subject.
        var trusts = Setting.Text(configuration, "DATAXPIPE_OIDC_TRUST") is { } json ? OidcTrustSetting.Read(json) : [];
        return Authority(configuration) is { } authority ? [.. trusts, authority] : trusts;
    }

    /// <summary>
    /// Whether a text is a valid issuer URL: safe by <see cref="IsSafe"/>, without query and fragment.
    /// </summary>
    public static bool IsIssuer(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsSafe(uri) && uri.Query == "" && uri.Fragment == "";

    /// <summary>
    /// Whether nobody on the network can change the response of a URL. This is true for https, and for http to
    /// loopback. The URL must not contain a user name.
    /// </summary>
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
                + "DATAXPIPE_OIDC_AUTHORITY. Set DATAXPIPE_OIDC_AUTHORITY to the provider's issuer, or leave the others out.");
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
                "DATAXPIPE_OIDC_ORGANIZATION must be the id of one organization, which all tokens of DATAXPIPE_OIDC_AUTHORITY belong "
                    + "to, and "
                + "DATAXPIPE_OIDC_ORGANIZATION_CLAIM must be left out. If each token names its organization, leave "
                + "DATAXPIPE_OIDC_ORGANIZATION out.");
        }

        return new()
        {
            Issuer = authority,
            Audience = audience ?? throw new SettingException(
                "DATAXPIPE_OIDC_AUDIENCE is missing: set it to the audience that the provider puts into tokens for this service. Without "
                + "it, tokens for any other service would be accepted."),
            Organization = organization,
            OrganizationClaim = claim ?? "organization",
        };
    }
}
