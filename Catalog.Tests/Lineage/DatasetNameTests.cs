using System.Net;
using Catalog.Data.Lineage;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class DatasetNamesOnSqlite(SqliteTestDatabase database) : DatasetNameTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class DatasetNamesOnPostgres(PostgresTestDatabase database) : DatasetNameTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>An accepted name identifies one dataset, in paths and in queries.</summary>
public abstract class DatasetNameTests(TestDatabase database) : EndpointTestBase(database)
{
    public static TheoryData<string> Odd =>
    [
        "s3://lake/day=2026-01-31%2Fhour=01", "%2F", "%2f", "%252F", "%25", "a%", "%zz", "100%25/%2F", "/data/orders", "data/orders/",
        "//data//orders", "/", "a/../b", "./a", "...", " a ", "a+b c", "ü/界/🎉", "tab\there",
        "\u0001", "a?b#c&d=e", "a;b=c", "\\\\server\\share", "impact", "file:///data/orders", "postgres://h:5432/shop.public.orders",
        "\"quoted\"", "~", "readiness",
        new string('/', 2048), new string('%', 2048), new string('界', 2048), string.Concat(Enumerable.Repeat("🎉", 2048)),
    ];

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task Every_accepted_name_can_be_read_back(string name)
    {
        // The names are not made unique, so other tests of this class share these datasets.
        Assert.Equal(
            HttpStatusCode.Created,
            (await Client.PostJson(
                "/api/v1/pipelines/", new { name = Name, edges = new[] { new { from = name, to = $"{Name}.out" } } })).StatusCode);
        await Client.PostJson("/api/v1/checks/results", new { pipeline_id = Name, check_id = "c", status = "pass", dataset = name });
        var id = Uri.EscapeDataString(name);

        foreach (var path in new[] { $"/api/v1/lineage?dataset={id}", $"/api/v1/lineage/{id}", $"/lineage/{id}", $"/lineage/?dataset={id}",
            $"/api/v1/lineage/{id}/" })
        {
            var graph = await Client.GetJson(path);
            Assert.Equal(name, graph.GetProperty("nodes")[0].GetProperty("id").GetString());
            Assert.Contains(graph.GetProperty("edges").EnumerateArray(), edge => edge.GetProperty("to").GetString() == $"{Name}.out");
        }

        Assert.Contains((await Client.GetJson($"/api/v1/lineage/{id}/impact")).GetProperty("datasets").EnumerateArray(), dataset =>
            dataset.GetProperty("id").GetString() == $"{Name}.out");
        var read = await Client.GetJson($"/api/v1/datasets/{id}");
        Assert.Equal(name, read.GetProperty("id").GetString());
        Assert.Contains(read.GetProperty("last_results").EnumerateArray(), result => result.GetProperty("pipeline_id").GetString() == Name);
        Assert.Single((await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}&dataset={id}")).GetProperty("items")
            .EnumerateArray());
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    public async Task A_name_that_cannot_be_part_of_a_path_is_refused(string name)
    {
        await (await Client.PostJson("/api/v1/pipelines/", new { name = Name, edges = new[] { new { from = name, to = "x" } } }))
            .Problem(422, "invalid");
        await (await Client.PostJson("/api/v1/checks/results", new { pipeline_id = Name, check_id = "c", status = "pass", dataset = name }))
            .Problem(422, "invalid");
        await (await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x", dataset = name })).Problem(422, "invalid");
    }

    [Fact]
    public async Task Absolute_and_relative_paths_are_different_datasets()
    {
        var (relative, absolute) = ($"{Name}/orders", $"/{Name}/orders");
        await Client.PostJson(
            "/api/v1/pipelines/", new { name = Name + "-r", edges = new[] { new { from = relative, to = $"{Name}.r" } } });

        foreach (var path in new[] { $"lineage/{Uri.EscapeDataString(absolute)}", $"lineage?dataset={Uri.EscapeDataString(absolute)}",
            $"datasets/{Uri.EscapeDataString(absolute)}", $"lineage/{Uri.EscapeDataString(absolute)}/impact",
            $"lineage/{Uri.EscapeDataString("/" + absolute)}" })
        {
            await (await Client.GetAsync($"/api/v1/{path}", Ct)).Problem(404, "not_found");
        }

        await Client.PostJson(
            "/api/v1/pipelines/", new { name = Name + "-a", edges = new[] { new { from = absolute, to = $"{Name}.a" } } });
        foreach (var (dataset, far) in new[] { (relative, "r"), (absolute, "a") })
        {
            var graph = await Client.GetJson($"/api/v1/lineage/{Uri.EscapeDataString(dataset)}");
            Assert.Equal([dataset, $"{Name}.{far}"], graph.GetProperty("nodes").EnumerateArray()
                .Select(node => node.GetProperty("id").GetString()));
        }
    }

    [Theory]
    [InlineData("", "a/b/c")]
    [InlineData("a", "b/c")]
    [InlineData("a/b", "c")]
    public void A_shown_id_has_the_same_identity(string @namespace, string name)
    {
        Assert.Equal("a/b/c", DatasetId.Format(@namespace, name));
        Assert.Equal(DatasetId.Of("a/b/c"), DatasetId.Of(DatasetId.Format(@namespace, name)));
    }
}
