using System.Globalization;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;

namespace Catalog.Api.Billing;

/// <summary>
/// The settings of billing. Either all required settings or none must be set. With only some of them, the service could
/// take payments without granting the plan.
/// </summary>
internal sealed record StripeSettings
{
    /// <summary>Stripe's API key. It is never printed.</summary>
    public required string SecretKey { get; init; }

    /// <summary>
    /// The signing secrets of the webhook endpoint: one, or two during a rotation. They are never printed.
    /// </summary>
    public required IReadOnlyList<string> WebhookSecrets { get; init; }

    /// <summary>The plans that are sold, by the id of their Stripe price.</summary>
    public required IReadOnlyDictionary<string, Plan> Prices { get; init; }

    /// <summary>The URL that Stripe's pages return to.</summary>
    public required Uri ReturnUrl { get; init; }

    public required Uri Api { get; init; }

    /// <summary>The time limit for one request to Stripe, including retries.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>The id of the price of a plan that is sold.</summary>
    public string PriceOf(Plan plan) => Prices.First(price => price.Value == plan).Key;

    /// <summary>The text contains no secrets, so that settings that are logged by mistake do not reveal them.</summary>
    public override string ToString() => $"Stripe at {Api.Authority}";

    /// <returns>Null when billing is not configured.</returns>
    /// <exception cref="SettingException">A setting is missing or not valid. The message repeats no value.</exception>
    public static StripeSettings? Read(IConfiguration configuration)
    {
        const string SecretKeyName = "DATAXPIPE_STRIPE_SECRET_KEY", WebhookSecretName = "DATAXPIPE_STRIPE_WEBHOOK_SECRET",
            TeamName = "DATAXPIPE_STRIPE_PRICE_TEAM", BusinessName = "DATAXPIPE_STRIPE_PRICE_BUSINESS",
            ReturnUrlName = "DATAXPIPE_STRIPE_RETURN_URL";
        string[] requiredNames = [SecretKeyName, WebhookSecretName, TeamName, BusinessName, ReturnUrlName];
        string? Text(string name) => Setting.Text(configuration, name);

        var missing = requiredNames.Where(name => Text(name) is null).ToList();
        if (missing.Count == requiredNames.Length)
        {
            return null;
        }

        if (missing.Count > 0)
        {
            throw new SettingException(
                $"The settings for billing with Stripe are incomplete: also set {string.Join(" and ", missing)}, or set none of "
                    + $"{string.Join(", ", requiredNames)}.");
        }

        var secrets = Text(WebhookSecretName)!.Split(',', StringSplitOptions.TrimEntries);
        var (team, business) = (Price(TeamName, Text(TeamName)!), Price(BusinessName, Text(BusinessName)!));
        return new()
        {
            SecretKey = Text(SecretKeyName) is { Length: >= 16 } key
                && (key.StartsWith("sk_", StringComparison.Ordinal) || key.StartsWith("rk_", StringComparison.Ordinal)) && IsVisible(key)
                ? key
                : throw new SettingException(
                    $"{SecretKeyName} must be a secret or restricted key of Stripe (sk_… or rk_…), not a publishable key; see the "
                        + "dashboard under Developers, API keys."),
            WebhookSecrets = secrets is { Length: 1 or 2 }
                && secrets.All(secret => secret.Length >= 16 && secret.StartsWith("whsec_", StringComparison.Ordinal) && IsVisible(secret))
                ? secrets
                : throw new SettingException(
                    $"{WebhookSecretName} must be the endpoint's signing secret (whsec_…), or, during a rotation, two secrets "
                        + "separated by a comma."),
            Prices = team != business
                ? new Dictionary<string, Plan>(StringComparer.Ordinal) { [team] = Plan.Team, [business] = Plan.Business }
                : throw new SettingException($"{TeamName} and {BusinessName} contain the same price; each plan needs its own price."),
            ReturnUrl = Address(ReturnUrlName, Text(ReturnUrlName)!),
            Api = Address("DATAXPIPE_STRIPE_API", Text("DATAXPIPE_STRIPE_API") ?? "https://api.stripe.com"),
            Timeout = TimeSpan.FromSeconds(Seconds("DATAXPIPE_STRIPE_TIMEOUT", Text("DATAXPIPE_STRIPE_TIMEOUT"))),
        };
    }

    private static string Price(string name, string id) =>
        id.Length <= 255 && !id.StartsWith("prod_", StringComparison.Ordinal)
            && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.')
            ? id
            : throw new SettingException(
                $"{name} must be the id of a recurring price (price_…), not of a product; see the dashboard under Product catalog.");

    private static Uri Address(string name, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.UserInfo.Length == 0 && address.Fragment.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : throw new SettingException(
                $"{name} must be an https:// address without user, password and fragment; http:// is allowed for loopback only.");

    private static int Seconds(string name, string? text) => text is null ? 10
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 60 ? seconds
        : throw new SettingException($"{name} must be a whole number of seconds from 1 to 60.");

    private static bool IsVisible(string text) => text.All(letter => letter is > ' ' and <= '~');
}
