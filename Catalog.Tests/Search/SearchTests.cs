using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Search;

[Trait("Category", "Fast")]
public sealed class SearchOnSqlite(SqliteTestDatabase database) : SearchTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class SearchOnPostgres(PostgresTestDatabase database) : SearchTests(database), IClassFixture<PostgresTestDatabase>;

public abstract class SearchTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Names_that_begin_with_the_text_come_first_and_letter_case_is_ignored()
    {
        using var client = await App.Organization(Name);
        foreach (var (name, owner, dataset, check) in new[]
        {
            ("Sales_daily", "Ünsal", "MART.sales", "Sales_ok"), ("nightly-sales", "sales-team", "sales.raw", "no_sales"),
            ("other", "ünsal", "x", "y"),
        })
        {
            await client.PostJson("/api/v1/pipelines/", new
            {
                name,
                owner,
                description = $"About {name}",
                edges = new[] { new { from = $"{dataset}.in", to = dataset } },
                checks = new[] { new { id = check, sql = "select 1" } },
            });
        }

        var hits = await client.GetJson("/api/v1/search?q=SALES");

        Assert.Equal(["Sales_daily", "nightly-sales"], Ids(hits, "pipelines"));
        Assert.Equal(("About Sales_daily", "Ünsal"), (hits.GetProperty("pipelines")[0].GetProperty("description").GetString(),
            hits.GetProperty("pipelines")[0].GetProperty("owner").GetString()));
        var datasets = hits.GetProperty("datasets").EnumerateArray().Select(id => id.GetString()!).ToList();
        Assert.Equal(["sales.raw", "sales.raw.in"], datasets[..2].Order());
        Assert.Equal(["MART.sales", "MART.sales.in"], datasets[2..].Order());
        Assert.Equal(["Sales_ok", "no_sales"], Ids(hits, "checks"));
        Assert.Equal("Sales_daily", hits.GetProperty("checks")[0].GetProperty("pipeline_id").GetString());
        Assert.Equal(["sales-team"], hits.GetProperty("owners").EnumerateArray().Select(owner => owner.GetString()));
        Assert.Equal(["other", "Sales_daily"], Ids(await client.GetJson($"/api/v1/search?q={Uri.EscapeDataString("ÜNSAL")}"), "pipelines"));
    }

    [Fact]
    public async Task Characters_of_patterns_match_themselves()
    {
        using var client = await App.Organization(Name);
        foreach (var name in new[] { "a_b", "axb", "a%b", "a'b", "a\\b" })
        {
            await client.PostJson("/api/v1/pipelines/", new { name, checks = new[] { new { id = name, sql = "select 1" } } });
        }

        foreach (var (text, expected) in new[]
        {
            ("_", "a_b"), ("%", "a%b"), ("'", "a'b"), ("\\", "a\\b"), ("axb", "axb"), ("a_b", "a_b"), ("%a", null), (";--", null),
        })
        {
            var hits = await client.GetJson($"/api/v1/search?q={Uri.EscapeDataString(text)}");
            Assert.Equal(expected is null ? [] : [expected], Ids(hits, "pipelines"));
            Assert.Equal(expected is null ? [] : [expected], Ids(hits, "checks"));
        }
    }

    [Fact]
    public async Task At_most_ten_of_each_kind_are_found_and_deleted_pipelines_are_not()
    {
        using var client = await App.Organization(Name);
        await client.PostJson("/api/v1/pipelines/", Enumerable.Range(0, 15).Select(i => new
        {
            name = $"p{i:00}",
            owner = $"po{i:00}",
            edges = new[] { new { from = $"pd{i:00}", to = "z" } },
            checks = new[] { new { id = $"pc{i:00}", sql = "select 1" } },
        }));
        await client.DeleteAsync("/api/v1/pipelines/p14", Ct);

        var hits = await client.GetJson("/api/v1/search?q=p");

        Assert.All(
            new[] { "pipelines", "datasets", "checks", "owners" }, kind => Assert.Equal(10, hits.GetProperty(kind).GetArrayLength()));
        Assert.DoesNotContain("p14", Ids(hits, "pipelines"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?q=")]
    [InlineData("?q=201")]
    [InlineData("?query=x")]
    public async Task A_search_needs_a_text_of_at_most_200_characters(string query)
    {
        await (await Client.GetAsync("/api/v1/search" + query.Replace("201", new string('x', 201), StringComparison.Ordinal), Ct))
            .Problem(422, "invalid");
    }

    private static IEnumerable<string?> Ids(JsonElement hits, string kind) =>
        hits.GetProperty(kind).EnumerateArray().Select(hit => hit.GetProperty("id").GetString());
}
