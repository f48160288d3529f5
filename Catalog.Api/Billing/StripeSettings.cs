using System.Globalization;
using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Billing;

/// <summary>How Stripe is asked and believed. All of it or none: half of it would take money and not give the plan.</summary>
internal sealed record StripeSettings
{
    /// <summary>With which the service asks. Never printed.</summary>
    public required string SecretKey { get; init; }

    /// <summary>With which Stripe signs; two while one takes the place of the other. Never printed.</summary>
    public required IReadOnlyList<string> WebhookSecrets { get; init; }

    /// <summary>What is sold, by the id of its price.</summary>
    public required IReadOnlyDictionary<string, Plan> Prices { get; init; }

    /// <summary>Where people come back to.</summary>
    public required Uri ReturnUrl { get; init; }

    public required Uri Api { get; init; }

    /// <summary>How long one question may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>The price of a plan that is sold.</summary>
    public string PriceOf(Plan plan) => Prices.First(price => price.Value == plan).Key;

    /// <summary>Without the secrets, wherever it may be printed by mistake.</summary>
    public override string ToString() => $"Stripe at {Api.Authority}";

    /// <returns>Null when billing is not configured.</returns>
    /// <exception cref="SettingException">Something is missing or cannot be used. The message repeats no value.</exception>
    public static StripeSettings? Read(IConfiguration configuration)
    {
        const string SecretKeyName = "DATAXPIPE_STRIPE_SECRET_KEY", WebhookSecretName = "DATAXPIPE_STRIPE_WEBHOOK_SECRET",
            TeamName = "DATAXPIPE_STRIPE_PRICE_TEAM", BusinessName = "DATAXPIPE_STRIPE_PRICE_BUSINESS", ReturnUrlName = "DATAXPIPE_STRIPE_RETURN_URL";
        string[] needed = [SecretKeyName, WebhookSecretName, TeamName, BusinessName, ReturnUrlName];
        string? Text(string name) => Setting.Text(configuration, name);

        var missing = needed.Where(name => Text(name) is null).ToList();
        if (missing.Count == needed.Length)
        {
            return null;
        }

        if (missing.Count > 0)
        {
            throw new SettingException($"Billing with Stripe is configured in part: set {string.Join(" and ", missing)} too, or none of {string.Join(", ", needed)}.");
        }

        var secrets = Text(WebhookSecretName)!.Split(',', StringSplitOptions.TrimEntries);
        var (team, business) = (Price(TeamName, Text(TeamName)!), Price(BusinessName, Text(BusinessName)!));
        return new()
        {
            SecretKey = Text(SecretKeyName) is { Length: >= 16 } key && (key.StartsWith("sk_", StringComparison.Ordinal) || key.StartsWith("rk_", StringComparison.Ordinal)) && IsVisible(key)
                ? key
                : throw new SettingException($"{SecretKeyName} must be a secret or restricted key of Stripe (sk_… or rk_…), not a publishable one; see the dashboard under Developers, API keys."),
            WebhookSecrets = secrets is { Length: 1 or 2 } && secrets.All(secret => secret.Length >= 16 && secret.StartsWith("whsec_", StringComparison.Ordinal) && IsVisible(secret))
                ? secrets
                : throw new SettingException($"{WebhookSecretName} must be the endpoint's signing secret (whsec_…), or two with a comma between them while one takes the place of the other."),
            Prices = team != business
                ? new Dictionary<string, Plan>(StringComparer.Ordinal) { [team] = Plan.Team, [business] = Plan.Business }
                : throw new SettingException($"{TeamName} and {BusinessName} name the same price; each plan needs its own."),
            ReturnUrl = Address(ReturnUrlName, Text(ReturnUrlName)!),
            Api = Address("DATAXPIPE_STRIPE_API", Text("DATAXPIPE_STRIPE_API") ?? "https://api.stripe.com"),
            Timeout = TimeSpan.FromSeconds(Seconds("DATAXPIPE_STRIPE_TIMEOUT", Text("DATAXPIPE_STRIPE_TIMEOUT"))),
        };
    }

    private static string Price(string name, string id) =>
        id.Length <= 255 && !id.StartsWith("prod_", StringComparison.Ordinal) && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.')
            ? id
            : throw new SettingException($"{name} must be the id of a recurring price (price_…), not of a product; see the dashboard under Product catalog.");

    private static Uri Address(string name, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.UserInfo.Length == 0 && address.Fragment.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : throw new SettingException($"{name} must be an https:// address without user, password and fragment; http:// is for loopback only.");

    private static int Seconds(string name, string? text) => text is null ? 10
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 60 ? seconds
        : throw new SettingException($"{name} must be a whole number of seconds from 1 to 60.");

    private static bool IsVisible(string text) => text.All(letter => letter is > ' ' and <= '~');
}
