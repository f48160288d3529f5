using Catalog.Api.Billing;
using Catalog.Data.Database;
using Catalog.Data.Organizations;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Billing;

[Trait("Category", "Fast")]
public sealed class StripeSettingsTests
{
    private const string Canary = "CanarySetting6617";

    private static readonly Dictionary<string, string?> Whole = new()
    {
        ["DATAXPIPE_STRIPE_SECRET_KEY"] = "sk_live_0123456789abcdef",
        ["DATAXPIPE_STRIPE_WEBHOOK_SECRET"] = "whsec_0123456789abcdef",
        ["DATAXPIPE_STRIPE_PRICE_TEAM"] = "price_1",
        ["DATAXPIPE_STRIPE_PRICE_BUSINESS"] = "price_2",
        ["DATAXPIPE_STRIPE_RETURN_URL"] = "https://catalog.example/plans",
    };

    [Fact]
    public void None_is_no_billing_and_blank_is_none()
    {
        Assert.Null(Read([]));
        Assert.Null(Read(Whole.ToDictionary(setting => setting.Key, _ => (string?)" ")));
        Assert.Null(Read(new() { ["DATAXPIPE_STRIPE_API"] = "https://stripe.example" }));
    }

    [Fact]
    public void All_of_it_is_read()
    {
        var settings = Read(Whole)!;

        Assert.Equal(new Uri("https://api.stripe.com/"), settings.Api);
        Assert.Equal(["whsec_0123456789abcdef"], settings.WebhookSecrets);
        Assert.Equal((Plan.Team, Plan.Business), (settings.Prices["price_1"], settings.Prices["price_2"]));
        Assert.Equal("price_2", settings.PriceOf(Plan.Business));
        Assert.Equal(TimeSpan.FromSeconds(10), settings.Timeout);
        Assert.DoesNotContain("0123456789abcdef", settings.ToString());
        Assert.Equal(["whsec_0123456789abcdef", "whsec_fedcba9876543210"], Read(Whole, ("DATAXPIPE_STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef, whsec_fedcba9876543210"))!.WebhookSecrets);
        Assert.Equal("http://localhost:1/", Read(Whole, ("DATAXPIPE_STRIPE_RETURN_URL", "http://localhost:1"), ("DATAXPIPE_STRIPE_API", "http://127.0.0.1:2"))!.ReturnUrl.ToString());
    }

    [Fact]
    public void A_part_of_it_names_what_is_missing()
    {
        foreach (var name in Whole.Keys)
        {
            Assert.Contains($"also set {name}", Refused((name, null)));
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
    public void What_cannot_be_used_stops_the_start_and_is_not_repeated(string name, string value)
    {
        var message = Refused((name, value));

        Assert.Contains(name, message);
        Assert.DoesNotContain(Canary, message);
    }

    private static StripeSettings? Read(Dictionary<string, string?> settings, params (string Name, string? Value)[] more)
    {
        var all = new Dictionary<string, string?>(settings);
        foreach (var (name, value) in more)
        {
            all[name] = value;
        }

        return StripeSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
    }

    private static string Refused(params (string Name, string? Value)[] more) => Assert.Throws<SettingException>(() => Read(Whole, more)).Message;
}
