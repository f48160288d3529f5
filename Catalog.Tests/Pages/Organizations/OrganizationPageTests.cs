using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Organizations;

/// <summary>Usage and plan, retention, and the audit log.</summary>
public sealed class OrganizationPageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task Ceilings_of_the_plan_are_bars()
    {
        using var owner = await App.Organization(Name, "free");
        await owner.PostJson("/api/v1/pipelines/", new { name = "p1" });
        using var browser = await PageClient.SignedIn(App, owner, "read");

        var page = await browser.Open("/ui/usage");

        var bars = page.Html.QuerySelectorAll("meter").Select(bar => (bar.GetAttribute("value"), bar.GetAttribute("max"))).ToList();
        Assert.Equal([("1", "3"), ("0", "2")], bars[..2]);
        Assert.Equal("100", bars[2].Item2);
        Assert.Contains("1 of 3", page.Text, StringComparison.Ordinal);
        Assert.Empty(page.Html.QuerySelectorAll("main form"));
    }

    [Fact]
    public async Task An_organization_without_limits_has_no_bars()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read", "manage");

        var page = await browser.Open("/ui/usage");

        Assert.Empty(page.Html.QuerySelectorAll("meter"));
        Assert.Contains("no limit", page.Text, StringComparison.Ordinal);
        await browser.Post("/ui/usage/portal", 501);
    }

    [Fact]
    public async Task Retention_is_changed_by_a_form()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read", "manage");
        var form = await browser.Open("/ui/retention");

        var saved = await browser.Submit(form, "form[action='/ui/retention']", 200, ("runs_kept_days", "90"), ("results_kept_days", " "));

        Assert.Equal("90", saved.One("#runs_kept_days").GetAttribute("value"));
        Assert.Equal("", saved.One("#results_kept_days").GetAttribute("value") ?? "");
        Assert.Equal(90, await Kept(owner));
        foreach (var wrong in new[] { "0", "-1", "36501", "1.5", "many" })
        {
            var page = await browser.Submit(form, "form[action='/ui/retention']", 422, ("runs_kept_days", wrong));
            Assert.Contains(
                "Days for runs: must be from 1 to 36500, or empty for", page.Texts("[role=alert]")[0], StringComparison.Ordinal);
        }

        Assert.Equal(90, await Kept(owner));
    }

    [Fact]
    public async Task Without_the_scope_manage_retention_is_only_shown()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read");

        var page = await browser.Open("/ui/retention");

        Assert.Empty(page.Html.QuerySelectorAll("main form"));
        Assert.Contains("the operator's setting", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_organization_has_the_settings_of_the_operator()
    {
        using var browser = await PageClient.SignedIn(App);

        Assert.Empty((await browser.Open("/ui/retention")).Html.QuerySelectorAll("main form"));
        await browser.Post("/ui/retention", 409, ("runs_kept_days", "1"));
        await browser.Open("/ui/usage");
    }

    [Fact]
    public async Task The_audit_log_is_filtered_and_downloaded()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read", "manage");
        await owner.PostJson("/api/v1/organizations/me/api-keys", new { name = "<script>alert(1)</script>" });

        var all = await browser.Open("/ui/audit");
        var filtered = await browser.Submit(all, "form.filters", 200, ("action", "api_key.created"), ("since", "24h"));
        var none = await browser.Open("/ui/audit?actor=nobody");
        var csv = await (await browser.Get("/ui/audit?download=csv")).Content.ReadAsStringAsync(Ct);

        Assert.All(filtered.Rows(), cells => Assert.Equal("api_key.created", cells[2]));
        Assert.Contains("since=24h", filtered.Address, StringComparison.Ordinal);
        Assert.Contains(filtered.Rows(), cells => cells[4].Contains("<script>alert(1)</script>", StringComparison.Ordinal));
        Assert.True(all.Rows().Count > filtered.Rows().Count);
        Assert.Empty(none.Rows());
        Assert.StartsWith("id,occurred_at,actor,action,", csv, StringComparison.Ordinal);
        await browser.Open("/ui/audit?since=yesterday", 422);
    }

    private static async Task<long> Kept(HttpClient owner) =>
        (await owner.GetJson("/api/v1/organizations/me")).GetProperty("retention").GetProperty("runs_kept_days").GetInt64();
}
