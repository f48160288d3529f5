using System.Text.RegularExpressions;
using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Pipelines;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Database;

/// <summary>The plans of pages after a position, on 100,000 runs.</summary>
public sealed partial class SqliteQueryPlanTests(SqliteQueryPlanTests.Filled filled) : IClassFixture<SqliteQueryPlanTests.Filled>
{
    [Fact]
    public async Task A_page_of_runs_begins_in_the_index_with_its_order()
    {
        var queries = new List<string>();
        await using var db = filled.Open(queries.Add);
        foreach (var (index, bounded, read) in DeepPages.OfRuns())
        {
            queries.Clear();
            await read(db);

            var pages = queries.Where(query => query.Contains("-- Runs.List\n", StringComparison.Ordinal)).ToList();
            Assert.Equal(2, pages.Count);
            foreach (var (place, query) in pages.Index())
            {
                var plan = await filled.PlanOf(query);
                Assert.True(plan is [var only] && (place < pages.Count - bounded || Begins().IsMatch(only))
                    && only.StartsWith($"SEARCH runs USING INDEX {index} (", StringComparison.Ordinal),
                    $"{query}\n{string.Join('\n', plan)}");
            }
        }
    }

    [Fact]
    public async Task A_page_of_each_list_begins_in_an_index()
    {
        var queries = new List<string>();
        await using var db = filled.Open(queries.Add);
        foreach (var (statement, read) in DeepPages.Of(db))
        {
            queries.Clear();
            await read();

            var query = queries.Single(query => query.Contains($"-- {statement}\n", StringComparison.Ordinal));
            var plan = await filled.PlanOf(query);
            Assert.True(plan.Exists(Begins().IsMatch) && !plan.Exists(Reads().IsMatch), $"{query}\n{string.Join('\n', plan)}");
            // SQLite must search by the id of the pipeline or the check, even if the query also has two bounds of a
            // time.
            Assert.All(new[] { "pipeline_id", "check_id" }.Where(id => query.Contains($"unlikely({id} =", StringComparison.Ordinal)),
                id => Assert.Contains($"{id}=?", string.Join('\n', plan), StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Pipelines_that_fail_are_looked_up_by_their_ids()
    {
        var queries = new List<string>();
        await using var db = filled.Open(queries.Add);
        await new FailingPipelines(db).Find("default", 21, TestContext.Current.CancellationToken);
        await new PipelineRepository(db, new CheckResultRepository(db)).List(
            "default", new() { Ids = ["p1", "p2"] }, null, 2, TestContext.Current.CancellationToken);

        foreach (var name in new[] { "FailingPipelines.ByRun", "FailingPipelines.ByCheck", "Pipelines.ListOfIds" })
        {
            var query = queries.Single(query => query.Contains($"-- {name}\n", StringComparison.Ordinal));
            var plan = await filled.PlanOf(query.Replace("in @ids", "in (@first, @second)", StringComparison.Ordinal));
            var pipelines = plan.Where(step => step.Contains(" pipelines ", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(pipelines);
            Assert.All(pipelines, step => Assert.Contains("AND id=?", step, StringComparison.Ordinal));
            Assert.DoesNotContain(plan, step => Reads().IsMatch(step) || step.Contains("AUTOMATIC", StringComparison.Ordinal));
        }
    }

    // Matches a search of an index by a range, not only by equal values. SQLite shows an expression as <expr>.
    [GeneratedRegex(@"^SEARCH .* INDEX \w+ \(organization_id=\?.*[<>]\(?\?")]
    private static partial Regex Begins();

    [GeneratedRegex(@"^SCAN (runs|check_results|checks|check_states|pipelines|executions|connections|datasets|api_keys|audit_log)\b")]
    private static partial Regex Reads();

    /// <summary>A file with 100,000 runs.</summary>
    public sealed partial class Filled : IAsyncLifetime
    {
        private readonly SqliteTestDatabase _database = new();

        public async ValueTask InitializeAsync()
        {
            await _database.InitializeAsync();
            await using var connection = new SqliteConnection($"Data Source={_database.Address};Pooling=False");
            await connection.ExecuteAsync("""
                with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < 100000),
                times (i, at) as (select i, unixepoch('2026-01-01') + i * 25 from numbers)
                insert into runs (organization_id, id, pipeline_id, status, reported_status, started_at, completed_at, records_processed, created_at, updated_at)
                select 'default', 'r' || i, 'p' || (i % 100), 'completed', 'completed',
                       case when i % 50 > 0 then strftime('%Y-%m-%dT%H:%M:%S', at - i % 7 * 3600, 'unixepoch') || '.000000Z' end,
                       case when i % 5 < 4 then strftime('%Y-%m-%dT%H:%M:%S', at + i % 11 * 3600, 'unixepoch') || '.000000Z' end, i,
                       strftime('%Y-%m-%dT%H:%M:%S', at, 'unixepoch') || '.000000Z', '2026-01-01T00:00:00.000000Z'
                from times
                """, commandTimeout: 300);
        }

        public CatalogDatabase Open(Action<string> report) => DatabaseFactory.Open(_database.Settings, (sql, _) => report(sql));

        // SQLite plans a query without knowing the values of its parameters, so they are null here.
        public async Task<List<string>> PlanOf(string query)
        {
            await using var connection = new SqliteConnection($"Data Source={_database.Address};Pooling=False");
            var parameters = new DynamicParameters();
            foreach (var name in Parameter().Matches(query).Select(match => match.Value).Distinct(StringComparer.Ordinal))
            {
                parameters.Add(name, null);
            }

            return [.. (await connection.QueryAsync<(long, long, long, string Detail)>($"explain query plan {query}", parameters))
                .Select(row => row.Detail)];
        }

        public ValueTask DisposeAsync() => _database.DisposeAsync();

        [GeneratedRegex(@"@\w+")]
        private static partial Regex Parameter();
    }
}
