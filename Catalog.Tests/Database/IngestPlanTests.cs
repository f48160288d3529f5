using System.Diagnostics.Metrics;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Events;
using Catalog.Data.OpenLineage;
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
    private static readonly string[] Growing =
    [
        "runs", "run_stages", "run_events", "check_results", "check_states", "pipelines", "datasets", "dataset_aliases", "lineage_runs",
        "lineage_edges", "run_datasets", "facets", "column_edges", "lineage_events",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_and_results_are_found_by_their_keys_before_the_tables_have_statistics()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await KeepWithoutStatistics();
        await using var explained = Explained(plans);
        var db = explained.Database;
        await new PipelineRegistration(database.Database, TimeProvider.System).Register(
            Organization, [new() { Id = RandomCheckResults.Nightly, Version = "1", Body = "{}", BodyHash = [1] }], Ct);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        var (events, results) = (new RunIngest(db, new(1, 4096), TimeProvider.System, meters), new ResultIngest(db, new(1, 4096), meters));
        await Task.WhenAll(events.StartAsync(Ct), results.StartAsync(Ct));

        foreach (var status in new[] { "running", "completed" })
        {
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => events.Enqueue(Organization, new RunEvent
            {
                RunId = $"r{i}",
                PipelineId = RandomCheckResults.Nightly,
                Status = status,
                Stages = [new() { StageName = "load", Status = status }],
                Digest = [(byte)i, (byte)status.Length],
                Body = "{}",
            })!.Value.AsTask()));
        }

        // The failures close the gates of the runs, and the passes lift them.
        foreach (var status in new[] { CheckStatus.Fail, CheckStatus.Pass })
        {
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => results.Enqueue(Organization,
                [RandomCheckResults.Result($"c{i}", status, status.Length, $"r{i}", id: $"{status}-{i}")], 1)!.Value.AsTask()));
        }

        await Task.WhenAll(events.StopAsync(Ct), results.StopAsync(Ct));
        AssertByKey(plans, "RunEvents.LockOrCreate", "RunEvents.Stages", "RunEvents.CheckCounts", "RunEvents.Update",
            "RunEvents.Insert", "Results.InsertAndFold", "CheckStateFold.ReadClosedGates");
    }

    [Fact]
    public async Task Lineage_is_found_by_its_keys_before_the_tables_have_statistics()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await KeepWithoutStatistics();
        await using var explained = Explained(plans);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var events = new EventIngest(explained.Database, new(1, 4096), services.GetRequiredService<IMeterFactory>());
        await events.StartAsync(Ct);

        foreach (var type in new[] { "START", "COMPLETE" })
        {
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => events.Enqueue(Organization, [Event(i, type)])!.Value.AsTask()));
        }

        await events.StopAsync(Ct);
        AssertByKey(plans, "EventLog.Insert", "JobRegistration.Live", "DatasetAliases.Read", "LineageFacts.UpsertRuns",
            "ReportedEdges.MarkRuns", "ReportedEdges.InsertOfRuns", "ReportedEdges.WidenOfRuns", "ReportedEdges.End",
            "JobDescriptions.Current");
    }

    // A START reports the inputs and a COMPLETE reports the outputs, as in events of Spark.
    private static LoggedEvent Event(int number, string type)
    {
        var datasets = JsonSerializer.Serialize(Enumerable.Range(0, 3).Select(i => new { @namespace = "db", name = $"t{number + i}" }));
        using var json = JsonDocument.Parse($$$"""
            {
              "eventType": "{{{type}}}", "eventTime": "2026-01-01T00:0{{{type.Length}}}:00Z", "run": { "runId": "l{{{number}}}" },
              "job": { "namespace": "n", "name": "job{{{number % 7}}}", "facets": { "documentation": { "description": "d{{{number}}}" } } },
              "{{{(type == "START" ? "inputs" : "outputs")}}}": {{{datasets}}}
            }
            """);
        return OpenLineageEvent.Read(json.RootElement, new(2026, 1, 1, 1, 0, 0, TimeSpan.Zero)).Event!;
    }

    private ExplainedDatabase Explained(List<(string Query, JsonElement Plan)> plans)
    {
        database.Require();
        return new(PostgresUri.Parse("POSTGRES_DSN", database.SuperuserAddress), plans.Add);
    }

    // Turns off the analysis of the tables in the background. With statistics, a plan for a tiny table reads all rows.
    // The server replaces such a plan when the table has grown, so it is no fault.
    private Task KeepWithoutStatistics()
    {
        database.Require();
        return DedicatedPostgres.Execute(
            database.SuperuserAddress, [.. Growing.Select(table => $"alter table {table} set (autovacuum_enabled = false)")]);
    }

    private static void AssertByKey(List<(string Query, JsonElement Plan)> plans, params string[] statements)
    {
        Assert.Superset(statements.ToHashSet(StringComparer.Ordinal),
            plans.Select(plan => QueryPlanTests.NameOf(plan.Query)).ToHashSet(StringComparer.Ordinal));
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

    private sealed class ExplainedDatabase : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _source;
        private readonly PostgresPool _pool;

        public ExplainedDatabase(NpgsqlConnectionStringBuilder settings, Action<(string Query, JsonElement Plan)> report)
        {
            _source = NpgsqlDataSource.Create(settings.ConnectionString);
            _pool = new(settings, new(DatabaseSettings.DefaultSchema));
            var explaining = new ExplainingSource(_source, report);
            Database = new(explaining, explaining,
                new PostgresDialect(_pool, new(_pool, DatabaseSettings.DefaultAppRole, required: true)), null);
        }

        public CatalogDatabase Database { get; }

        public async ValueTask DisposeAsync()
        {
            await Database.DisposeAsync();
            await _pool.DisposeAsync();
            await _source.DisposeAsync();
        }
    }
}
