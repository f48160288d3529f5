using Catalog.Data.Database;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Whose access tokens are taken, read once at start.</summary>
internal sealed record OidcSettings
{
    /// <summary>The provider's issuer, to the letter as tokens and discovery spell it.</summary>
    public required string Authority { get; init; }

    /// <summary>Tokens must be made for this audience.</summary>
    public required string Audience { get; init; }

    /// <summary>The claim that holds the organization's id.</summary>
    public required string OrganizationClaim { get; init; }

    /// <returns>The settings, or null where no provider is configured.</returns>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static OidcSettings? Read(IConfiguration configuration)
    {
        var authority = Setting.Text(configuration, "DATAXPIPE_OIDC_AUTHORITY");
        var audience = Setting.Text(configuration, "DATAXPIPE_OIDC_AUDIENCE");
        var claim = Setting.Text(configuration, "DATAXPIPE_OIDC_ORGANIZATION_CLAIM");
        if (authority is null)
        {
            return audience is null && claim is null ? null : throw new SettingException(
                "DATAXPIPE_OIDC_AUDIENCE or DATAXPIPE_OIDC_ORGANIZATION_CLAIM is set without DATAXPIPE_OIDC_AUTHORITY, so no token would be "
                + "taken. Set it to the provider's issuer, or leave out all three.");
        }

        if (!Uri.TryCreate(authority, UriKind.Absolute, out var uri) || !IsSafe(uri) || uri.Query != "" || uri.Fragment != "")
        {
            throw new SettingException(
                "DATAXPIPE_OIDC_AUTHORITY must be the provider's issuer, such as https://login.example.com/realms/data: https (http for "
                + "loopback only), without a user, a query or a fragment.");
        }

        return new()
        {
            Authority = authority,
            Audience = audience ?? throw new SettingException(
                "DATAXPIPE_OIDC_AUDIENCE is missing: set it to the audience that the provider puts into tokens for this service. Without "
                + "it a token made for any other service would be taken."),
            OrganizationClaim = claim ?? "organization",
        };
    }

    /// <summary>Whether what is read there comes unchanged from whom the address names.</summary>
    public static bool IsSafe(Uri uri) =>
        uri.UserInfo == "" && uri.Host != "" && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));
}
