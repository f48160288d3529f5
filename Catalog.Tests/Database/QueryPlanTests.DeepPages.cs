using System.Text.Json;

namespace Catalog.Tests.Database;

/// <summary>
/// The plans of pages after a position. With row-level security, an index can be searched only by comparisons that
/// Postgres knows to leak no rows.
/// </summary>
public sealed partial class QueryPlanTests
{
    [Fact]
    public async Task A_page_of_runs_begins_in_the_index_with_its_order()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await using var db = filled.Open(plans.Add);
        foreach (var (index, bounded, read) in DeepPages.OfRuns())
        {
            plans.Clear();
            await read(db);

            var pages = plans.Where(plan => NameOf(plan.Query) == "Runs.List").ToList();
            Assert.Equal(2, pages.Count);
            Assert.All(pages, page => Assert.Contains($"\"{index}\"", page.Plan.GetRawText(), StringComparison.Ordinal));
            Assert.All(pages.TakeLast(bounded), page => AssertBeginsInIndex(page.Query, page.Plan));
        }
    }

    [Fact]
    public async Task A_page_of_each_list_begins_in_an_index()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await using var db = filled.Open(plans.Add);
        foreach (var (statement, read) in DeepPages.Of(db))
        {
            plans.Clear();
            await read();

            var (query, plan) = plans.Single(plan => NameOf(plan.Query) == statement);
            AssertBeginsInIndex(query, plan);
            if (statement == "Pipelines.List")
            {
                Assert.Contains("\"runs_pipeline_id_started_order_idx\"", plan.GetRawText(), StringComparison.Ordinal);
            }
        }
    }

    private static void AssertBeginsInIndex(string query, JsonElement plan)
    {
        var nodes = Nodes(plan).ToList();
        Assert.True(nodes.Exists(node => ComparesPosition(node, "Index Cond")), $"{query}\n{plan}");
        Assert.False(nodes.Exists(node => ComparesPosition(node, "Filter")), $"{query}\n{plan}");
    }

    // Whether a condition compares a position: a pair, a bound of one column, or the expression for the place of a run.
    private static bool ComparesPosition(JsonElement node, string condition) =>
        node.TryGetProperty(condition, out var found)
        && new[] { "ROW(", "CASE", "COALESCE", "(created_at <", "(created_at >", "(check_id >" }
            .Any(text => found.GetString()!.Contains(text, StringComparison.Ordinal));

    private static IEnumerable<JsonElement> Nodes(JsonElement plan) =>
        plan.TryGetProperty("Plans", out var inner) ? [plan, .. inner.EnumerateArray().SelectMany(Nodes)] : [plan];
}
