using System.Net;
using System.Text.Json;
using Catalog.Data.Lineage;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class ColumnLineageOnSqlite(SqliteTestDatabase database) : ColumnLineageTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ColumnLineageOnPostgres(PostgresTestDatabase database) : ColumnLineageTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class ColumnLineageTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Columns_are_walked_in_each_direction()
    {
        await Edges("mart", ("total", "stage", "amount"), ("day", "stage", "at"));
        await Edges("stage", ("amount", "raw", "cents"), ("amount", "rates", "rate"), ("at", "raw", "time"));

        Assert.Equal("mart.total0 stage.amount1 rates.rate2 raw.cents2", await Nodes("mart", "total", "direction=upstream"));
        Assert.Equal("mart.total0 stage.amount1", await Nodes("mart", "total", "direction=upstream&depth=1"));
        Assert.Equal("raw.time0 stage.at1 mart.day2", await Nodes("raw", "time", "direction=downstream"));
        Assert.Equal("stage.at0 mart.day1 raw.time1", await Nodes("stage", "at"));
        Assert.Equal("stage.at0", await Nodes("stage", "at", "depth=0"));
        Assert.Equal("stage.unused0", await Nodes("stage", "unused"));
        Assert.Equal("raw.0 raw.cents0 raw.time0 stage.amount1 stage.at1 mart.day2 mart.total2",
            await Nodes("raw", null, "direction=downstream"));
    }

    [Fact]
    public async Task A_column_of_one_dataset_does_not_reach_its_namesake_in_another()
    {
        await Edges("mart", ("total", "a", "x"), ("total", "b", "y"));
        await Edges("a", ("x", "raw", "ax"), ("y", "raw", "ay"));
        await Edges("b", ("x", "raw", "bx"), ("y", "raw", "by"));

        Assert.Equal("mart.total0 a.x1 b.y1 raw.ax2 raw.by2", await Nodes("mart", "total", "direction=upstream"));
    }

    [Fact]
    public async Task A_filter_influences_every_column()
    {
        await Edges("mart", ("total", "stage", "amount"), ("", "stage", "country"));

        Assert.Equal("mart.0 mart.total0 stage.amount1 stage.country1", await Nodes("mart", "total", "direction=upstream"));
        Assert.Equal("stage.country0 mart.1", await Nodes("stage", "country", "direction=downstream"));
    }

    [Fact]
    public async Task An_edge_has_its_transformations_and_its_job()
    {
        await Edges("mart", ("total", "stage", "amount"));

        var graph = await Read("mart", "total", "");
        var edge = Assert.Single(graph.GetProperty("edges").EnumerateArray());
        Assert.Equal(($"{Name}/stage", "amount", $"{Name}/mart", "total", $"{Name}/job-mart"), (
            edge.GetProperty("from").GetProperty("dataset").GetString(), edge.GetProperty("from").GetProperty("column").GetString(),
            edge.GetProperty("to").GetProperty("dataset").GetString(), edge.GetProperty("to").GetProperty("column").GetString(),
            edge.GetProperty("pipeline_id").GetString()));
        Assert.Equal("AGGREGATION", edge.GetProperty("transformations")[0].GetProperty("subtype").GetString());
    }

    [Fact]
    public async Task A_cycle_ends_and_the_budget_cuts()
    {
        await Edges("a", [.. Enumerable.Range(0, 30).Select(i => ("x", "b", $"c{i:00}"))]);
        await Edges("b", ("c00", "a", "x"));

        Assert.Equal(31, (await Nodes("a", "x", "direction=upstream&depth=1000")).Split(' ').Length);
        foreach (var budget in new LineageBudget[] { new(10, 1000), new(1000, 10), new(1000, 29) })
        {
            var graph = (await new ColumnLineageRepository(Database.Database, new LineageRepository(Database.Database, budget), budget)
                .Walk("default", $"{Name}/a", "x", LineageDirection.Upstream, 5, Ct))!;
            Assert.True(graph.Truncated);
            Assert.True(graph.Nodes.Count <= budget.Nodes && graph.Edges.Count <= budget.Edges);
            Assert.Contains(graph.Frontier, node => node.Column == "x");
        }
    }

    [Fact]
    public async Task Another_organization_sees_nothing()
    {
        await Edges("a", ("x", "b", "y"));
        using var other = await App.Organization(Name);

        await (await other.GetAsync($"/api/v1/lineage/columns?dataset={Name}%2Fa", Ct)).Problem(404, "not_found");
    }

    [Theory]
    [InlineData("dataset=nobody", 404, "not_found")]
    [InlineData("column=x", 422, "invalid")]
    [InlineData("dataset=x&direction=sideways", 422, "invalid")]
    [InlineData("dataset=x&depth=1001", 422, "invalid")]
    [InlineData("dataset=x&column=%00", 422, "invalid")]
    [InlineData("dataset=x&columns=y", 422, "invalid")]
    [InlineData("dataset=x'%3B--&column='%20or%201%3D1", 404, "not_found")]
    public async Task Unknown_ids_and_invalid_parameters_are_refused(string query, int status, string code) =>
        await (await Client.GetAsync($"/api/v1/lineage/columns?{query}", Ct)).Problem(status, code);

    private Task<JsonElement> Read(string dataset, string? column, string query) => Client.GetJson("/api/v1/lineage/columns?"
        + $"dataset={Uri.EscapeDataString($"{Name}/{dataset}")}{(column is null ? "" : $"&column={column}")}&{query}");

    private async Task<string> Nodes(string dataset, string? column, string query = "") => string.Join(' ',
        (await Read(dataset, column, query)).GetProperty("nodes").EnumerateArray().Select(node =>
            node.GetProperty("dataset").GetString()![(Name.Length + 1)..] + "." + node.GetProperty("column").GetString()
            + node.GetProperty("depth").GetInt32()));

    private async Task Edges(string output, params (string Column, string Input, string Field)[] edges)
    {
        object Field((string Column, string Input, string Field) edge) => new
        {
            @namespace = Name,
            name = edge.Input,
            field = edge.Field,
            transformations = new[] { new { type = "DIRECT", subtype = "AGGREGATION", description = "", masking = false } },
        };
        var answer = await Client.PostJson("/api/v1/lineage", new
        {
            eventType = "COMPLETE",
            eventTime = "2026-02-02T06:00:00Z",
            run = new { runId = Guid.NewGuid() },
            job = new { @namespace = Name, name = $"job-{output}" },
            inputs = edges.Select(edge => edge.Input).Distinct().Select(name => new { @namespace = Name, name }),
            outputs = new[]
            {
                new
                {
                    @namespace = Name,
                    name = output,
                    facets = new
                    {
                        columnLineage = new
                        {
                            fields = edges.Where(edge => edge.Column.Length > 0).GroupBy(edge => edge.Column)
                                .ToDictionary(group => group.Key, group => new { inputFields = group.Select(Field) }),
                            dataset = edges.Where(edge => edge.Column.Length == 0).Select(Field),
                        },
                    },
                },
            },
        });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }
}
