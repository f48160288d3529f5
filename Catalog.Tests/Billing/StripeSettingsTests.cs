using Catalog.Api.Billing;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Billing;

[Trait("Category", "Fast")]
public sealed class StripeSettingsTests
{
    private const string Canary = "c4narySetting6617";

    private static readonly Dictionary<string, string?> Complete = new()
    {
        ["DATAXPIPE_STRIPE_SECRET_KEY"] = "sk_live_c4nary0123456789abcdef",
        ["DATAXPIPE_STRIPE_WEBHOOK_SECRET"] = "whsec_0123456789abcdef",
        ["DATAXPIPE_STRIPE_PRICE_TEAM"] = "price_1",
        ["DATAXPIPE_STRIPE_PRICE_BUSINESS"] = "price_2",
        ["DATAXPIPE_STRIPE_RETURN_URL"] = "https://catalog.example/plans",
    };

    [Fact]
    public void Without_settings_or_with_blank_settings_billing_is_off()
    {
        Assert.Null(Read([]));
        Assert.Null(Read(Complete.ToDictionary(setting => setting.Key, _ => (string?)" ")));
        Assert.Null(Read(new() { ["DATAXPIPE_STRIPE_API"] = "https://stripe.example" }));
    }

    [Fact]
    public void All_settings_are_read()
    {
        var settings = Read(Complete)!;

        Assert.Equal(new Uri("https://api.stripe.com/"), settings.Api);
        Assert.Equal(["whsec_0123456789abcdef"], settings.WebhookSecrets);
        Assert.Equal((Plan.Team, Plan.Business), (settings.Prices["price_1"], settings.Prices["price_2"]));
        Assert.Equal("price_2", settings.PriceOf(Plan.Business));
        Assert.Equal(TimeSpan.FromSeconds(10), settings.Timeout);
        Assert.DoesNotContain("0123456789abcdef", settings.ToString());
        Assert.Equal(["whsec_0123456789abcdef", "whsec_fedcba9876543210"],
            Read(Complete, ("DATAXPIPE_STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef, whsec_fedcba9876543210"))!.WebhookSecrets);
        Assert.Equal(
            "http://localhost:1/", Read(Complete, ("DATAXPIPE_STRIPE_RETURN_URL", "http://localhost:1"),
                ("DATAXPIPE_STRIPE_API", "http://127.0.0.1:2"))!.ReturnUrl.ToString());
    }

    [Fact]
    public void Incomplete_settings_are_refused_with_the_missing_name()
    {
        foreach (var name in Complete.Keys)
        {
            Assert.Contains($"also set {name}", ErrorOf((name, null)));
        }
    }

    [Theory]
    [InlineData("DATAXPIPE_STRIPE_SECRET_KEY", "pk_live_" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_SECRET_KEY", "sk_" + Canary + " x")]
    [InlineData("DATAXPIPE_STRIPE_SECRET_KEY", "sk_short")]
    [InlineData("DATAXPIPE_STRIPE_WEBHOOK_SECRET", Canary + "0123456789")]
    [InlineData("DATAXPIPE_STRIPE_WEBHOOK_SECRET", "whsec_" + Canary + ",")]
    [InlineData("DATAXPIPE_STRIPE_WEBHOOK_SECRET", ",whsec_" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_WEBHOOK_SECRET", "whsec_")]
    [InlineData("DATAXPIPE_STRIPE_WEBHOOK_SECRET", "whsec_" + Canary + ",whsec_" + Canary + ",whsec_" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_PRICE_TEAM", "prod_" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_PRICE_TEAM", "price_2")]
    [InlineData("DATAXPIPE_STRIPE_PRICE_BUSINESS", "price " + Canary)]
    [InlineData("DATAXPIPE_STRIPE_RETURN_URL", "http://catalog.example/" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_RETURN_URL", "https://user:" + Canary + "@catalog.example/")]
    [InlineData("DATAXPIPE_STRIPE_RETURN_URL", "/plans/" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_RETURN_URL", "https://catalog.example/#" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_API", "http://api.stripe.com/" + Canary)]
    [InlineData("DATAXPIPE_STRIPE_TIMEOUT", "0")]
    [InlineData("DATAXPIPE_STRIPE_TIMEOUT", "61")]
    public void An_invalid_setting_stops_the_start_and_its_value_is_not_reported(string name, string value)
    {
        var message = ErrorOf((name, value));

        Assert.Contains(name, message);
        Assert.DoesNotContain(Canary, message);
    }

    private static StripeSettings? Read(Dictionary<string, string?> settings, params (string Name, string? Value)[] overrides)
    {
        var all = new Dictionary<string, string?>(settings);
        foreach (var (name, value) in overrides)
        {
            all[name] = value;
        }

        return StripeSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
    }

    private static string ErrorOf(params (string Name, string? Value)[] overrides) =>
        Assert.Throws<SettingException>(() => Read(Complete, overrides)).Message;
}
