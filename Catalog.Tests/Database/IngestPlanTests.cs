using System.Diagnostics.Metrics;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Tests.Checks;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Catalog.Tests.Database;

/// <summary>
/// The plans of the statements that store posts, in a new database. The service keeps such a plan until the table is
/// analyzed, so it must not read all rows of the organization, however few there are.
/// </summary>
public sealed class IngestPlanTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private const string Organization = "default";
    private static readonly string[] Growing = ["runs", "run_stages", "run_events", "check_results", "check_states"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_and_results_are_found_by_their_keys_before_the_tables_have_statistics()
    {
        database.Require();
        var plans = new List<(string Query, JsonElement Plan)>();
        var settings = PostgresUri.Parse("POSTGRES_DSN", database.SuperuserAddress);
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        await using var pool = new PostgresPool(settings, new(DatabaseSettings.DefaultSchema));
        var explaining = new ExplainingSource(source, plans.Add);
        await using var db = new CatalogDatabase(explaining, explaining,
            new PostgresDialect(pool, new(pool, DatabaseSettings.DefaultAppRole, required: true)), null);
        await new PipelineRegistration(database.Database, TimeProvider.System).Register(
            Organization, [new() { Id = CheckHistory.Nightly, Version = "1", Body = "{}", BodyHash = [1] }], Ct);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        var (events, results) = (new RunIngest(db, new(1, 4096), TimeProvider.System, meters), new ResultIngest(db, new(1, 4096), meters));
        await Task.WhenAll(events.StartAsync(Ct), results.StartAsync(Ct));

        foreach (var status in new[] { "running", "completed" })
        {
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => events.Enqueue(Organization, new RunEvent
            {
                RunId = $"r{i}",
                PipelineId = CheckHistory.Nightly,
                Status = status,
                Stages = [new() { StageName = "load", Status = status }],
                Digest = [(byte)i, (byte)status.Length],
                Body = "{}",
            })!.Value.AsTask()));
        }

        // The failure and the pass of each run close its gate and lift it.
        foreach (var status in new[] { CheckStatus.Fail, CheckStatus.Pass })
        {
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => results.Enqueue(Organization,
                [CheckHistory.Result($"c{i}", status, status.Length, $"r{i}", id: $"{status}-{i}")], 1)!.Value.AsTask()));
        }

        await Task.WhenAll(events.StopAsync(Ct), results.StopAsync(Ct));
        var named = plans.Select(plan => QueryPlanTests.NameOf(plan.Query)).ToHashSet(StringComparer.Ordinal);
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal)
        {
            "RunEvents.LockOrCreate", "RunEvents.Stages", "RunEvents.CheckCounts", "RunEvents.Update", "RunEvents.Insert",
            "Results.InsertAndFold", "CheckStates.ReadClosedGates",
        }, named);
        var faults = plans.SelectMany(plan => Faults(plan.Query, plan.Plan)).Distinct().ToList();
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
    }

    private static IEnumerable<string> Faults(string query, JsonElement node)
    {
        var isRead = node.TryGetProperty("Relation Name", out var table) && Growing.Contains(table.GetString())
            && node.GetProperty("Node Type").GetString() is "Seq Scan" or "Index Scan" or "Index Only Scan";
        // A condition on the organization alone selects all rows of the organization.
        if (isRead && !(node.TryGetProperty("Index Cond", out var condition)
            && condition.GetString()!.Contains(" AND ", StringComparison.Ordinal)))
        {
            yield return $"reads all rows of {table} ({node.GetProperty("Node Type")}): {query}";
        }

        if (node.TryGetProperty("Plans", out var inner))
        {
            foreach (var fault in inner.EnumerateArray().SelectMany(child => Faults(query, child)))
            {
                yield return fault;
            }
        }
    }
}
