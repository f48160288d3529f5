using System.Text.Json;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Executions;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Dapper;

namespace Catalog.Tests.Database;

/// <summary>
/// Calls the repositories on 100,000 rows while the server reports the plan of every statement, and asserts that no
/// plan reads or sorts a whole large table. The plans are those for the given values, as without prepared statements.
/// </summary>
public sealed partial class QueryPlanTests(QueryPlanTests.Filled filled) : IClassFixture<QueryPlanTests.Filled>
{
    private const string Organization = "default";

    // Sorts of few rows, independent of the size of the table.
    private static readonly Dictionary<string, string> FewRows = new(StringComparer.Ordinal)
    {
        ["Lineage.Neighbours"] = "the hop at which the budget ends a walk, in key order",
        ["Runs.CheckCounts"] = "the counts of a page's runs",
        ["CheckResults.OpenFailures"] = "a page's open failures",
        ["Checks.ListByStatus"] = "the checks that fail now",
        ["Datasets.Pipelines"] = "the pipelines of one dataset",
        ["Datasets.Owners"] = "at most 1,000 pipelines",
        ["Datasets.Tags"] = "the tags of at most 1,000 pipelines",
        ["Pipelines.Tags"] = "the tags of a page's pipelines",
        ["CheckResults.OfRun"] = "the results of one run",
        ["CheckResults.ListOfRunId"] = "the results of one run",
        ["CheckResults.ListOfChecks"] = "one result of each check, then a page of each newest check",
        ["CheckStateFold.List"] = "a page of each status",
        ["CheckStatusChanges.Flapping"] = "the last results of 1,000 checks",
        ["Datasets.Outputs"] = "the datasets that one pipeline writes",
        ["Runs.ListFew"] = "at most 5,000 runs with a status",
        ["Pipelines.Scheduled"] = "the last scheduled pipelines, fewer than a chunk",
        ["Pipelines.ListOfIds"] = "at most 100 pipelines",
        ["FailingPipelines.ByRun"] = "the newest 2,000 failed runs",
        ["RunEvents.Reports"] = "the events of one run",
        ["Runs.ByHour"] = "the runs that ended in a day",
        ["Marquez.Jobs"] = "the newest 20,000 pipelines, which are more than the table has",
        ["Marquez.CountJobs"] = "the newest 20,000 pipelines, which are more than the table has",
        ["Marquez.Datasets"] = "the newest 20,000 datasets",
        ["Marquez.Facets"] = "the values of the facets of a page",
        ["Marquez.Metrics"] = "the values of one facet of a dataset",
        ["Marquez.FacetHistory"] = "the values of two facets of a dataset",
        ["Marquez.JobsOfDatasets"] = "20 runs of each dataset of a graph",
        ["Marquez.Hours"] = "the runs that ended in a day",
        ["DatasetFacts.Facets"] = "the values of one facet of a dataset",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_frequent_query_reads_or_sorts_a_whole_large_table()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await using var db = filled.Open(plans.Add);
        var runs = new RunRepository(db);
        var results = new CheckResultRepository(db);
        var checks = new CheckRepository(db);
        var connections = new ConnectionRepository(db);
        var pipelines = new PipelineRepository(db, results);
        var datasets = new DatasetRepository(db);
        var lineage = new LineageRepository(db, LineageBudget.Default);
        var cursor = new Cursor(new DateTimeOffset(2026, 1, 15, 0, 0, 0, TimeSpan.Zero), "x");
        var (since, until) = (cursor.At.AddDays(-3), cursor.At.AddDays(-2));
        var (pipeline, run, dataset) = ("p77", "r12345", "d5000");

        foreach (var at in new DateTimeOffset?[] { null, cursor.At })
        {
            foreach (var direction in new[] { LineageDirection.Upstream, LineageDirection.Downstream, LineageDirection.Both })
            {
                await lineage.Walk(Organization, dataset, direction, 3, at, Ct);
                await lineage.Walk(Organization, dataset, direction, 20, at, Ct);
                await new LineageRepository(db, new(4000, 50_000)).Walk(Organization, dataset, direction, 20, at, Ct);
                await new LineageRepository(db, new(10_000, 3000)).Walk(Organization, dataset, direction, 20, at, Ct);
            }
        }

        await lineage.Find(Organization, "s3://a/b/c/d", Ct);
        await datasets.List(Organization, null, null, 50, Ct);
        await datasets.List(Organization, "", cursor, 50, Ct);
        await datasets.Pipelines(Organization, DatasetId.Of("", dataset), Ct);
        await datasets.Owners(Organization, [.. Enumerable.Range(0, 1000).Select(i => $"p{i}")], Ct);
        await datasets.Tags(Organization, [.. Enumerable.Range(0, 100).Select(i => $"p{i}")], Ct);

        await runs.Find(Organization, run, Ct);
        await new RunEventRepository(db).List(Organization, run, null, 50, Ct);
        await new RunEventRepository(db).Find(Organization, run, new string('a', 64), Ct);
        await db.Read(Organization, async session =>
        {
            var earlier = await RunAttemptTable.Find(session, Organization, run, Ct);
            var row = new FoldedRun { Id = run, PipelineId = pipeline, CreatedAt = cursor.At };
            return await RunRefold.Read(session, Organization, row, earlier, Ct);
        }, Ct);
        await new RunEventRepository(db).List(Organization, run, cursor, 50, Ct);
        foreach (var filter in RunFilters(pipeline, since, until, cursor.At))
        {
            await runs.List(Organization, filter, null, 50, Ct);
            // The table is so small that the planner may read all of it for 500 rows of one status. So a page with a
            // status has 50 rows.
            await runs.List(Organization, filter, cursor, filter.Statuses is null ? 500 : 50, Ct);
        }

        await results.Find(Organization, "c12345", Ct);
        foreach (var filter in new CheckResultFilter[]
        {
            new(), new() { PipelineId = pipeline }, new() { CheckId = "k7" }, new() { PipelineId = pipeline, CheckId = "k7" },
            new() { RunId = run }, new() { Dataset = dataset }, new() { Status = "fail" },
            new() { PipelineId = pipeline, Status = "fail" }, new() { CheckId = "k7", Status = "fail" },
            new() { PipelineId = pipeline, CheckId = "k7", Status = "fail" }, new() { CheckId = "k7", Severity = "warn" },
            new() { PipelineId = pipeline, Since = since, Until = until },
            new() { Severity = "warn" }, new() { Since = since }, new() { Until = until },
            new() { PipelineId = pipeline, CheckId = "k7", Since = since, Until = cursor.At },
        })
        {
            await results.List(Organization, filter, null, 50, Ct);
            await results.List(Organization, filter, cursor, 500, Ct);
            if ((filter.PipelineId ?? filter.CheckId) is not null)
            {
                await results.Count(Organization, filter, Ct);
            }
        }

        await checks.CountStatuses(Organization, new() { PipelineId = pipeline, CheckId = "k7" }, Ct);
        await checks.CountStatuses(Organization, new() { PipelineId = pipeline, CheckId = "k7", Since = since, Until = cursor.At }, Ct);
        await checks.Find(Organization, "k7", null, Ct);
        await checks.Find(Organization, "k7", pipeline, Ct);
        // A filter by dataset is left out. It has no index, because the name may be longer than an index row of
        // Postgres.
        foreach (var filter in new CheckFilter[] { new(), new() { PipelineId = pipeline }, new() { PipelineId = "" },
            new() { Kind = "freshness" }, new() { Severity = "warn" }, new() { Status = "fail" }, new() { Status = "pass" },
            new() { PipelineId = pipeline, Status = "fail" } })
        {
            await checks.List(Organization, filter, null, 50, Ct);
            await checks.List(Organization, filter, cursor, filter.Status is null ? 500 : 50, Ct);
        }

        var executions = new ExecutionRepository(db);
        foreach (var filter in new ExecutionFilter[] { new(), new() { PipelineId = pipeline }, new() { CheckId = "k7" },
            new() { PipelineId = pipeline, CheckId = "k7" }, new() { Status = "failed" }, new() { Status = "completed" },
            new() { Status = "queued" }, new() { PipelineId = pipeline, Status = "failed" } })
        {
            await executions.List(Organization, filter, null, 50, Ct);
            await executions.List(Organization, filter, cursor, 50, Ct);
        }

        await executions.Find(Organization, "x777", Ct);
        await executions.Checks(Organization, "x777", Ct);

        await results.OpenFailures(Organization, [.. Enumerable.Range(0, 500).Select(i => $"p{i}")], Ct);

        await pipelines.Find(Organization, pipeline, Ct);
        // A filter by text is left out. It has no index and may read the whole table.
        foreach (var filter in new PipelineFilter[] { new(), new() { Owner = "o1" }, new() { Environment = "prod" },
            new() { Tag = "gold" } })
        {
            await pipelines.List(Organization, filter, null, 50, Ct);
            await pipelines.List(Organization, filter, cursor, 500, Ct);
        }

        await connections.Find(Organization, "w7", Ct);
        await connections.List(Organization, null, null, 50, Ct);
        await connections.List(Organization, "postgres", cursor, 50, Ct);

        var named = plans.Select(plan => NameOf(plan.Query)).ToHashSet(StringComparer.Ordinal);
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal)
        {
            "Lineage.Around", "Lineage.Neighbours", "Lineage.Beyond", "Lineage.Find", "Lineage.Datasets", "Datasets.List",
            "Datasets.Pipelines", "Datasets.Owners", "Runs.Find", "Runs.List", "Runs.Events", "Runs.Stages",
            "RunAttemptTable.Find", "RunEvents.Reports",
            "Runs.CheckCounts", "CheckResults.Find", "CheckResults.List", "CheckResults.ListOfChecks",
            "CheckResults.OpenFailures", "Checks.CountStatuses",
            "Checks.Find", "Checks.List", "Checks.ListByStatus", "Pipelines.Find", "Pipelines.List", "Connections.Find", "Connections.List",
            "Executions.List", "Executions.Find", "Executions.Checks",
        }, named);
        var faults = plans.SelectMany(plan => Faults(plan.Query, plan.Plan)).Distinct().ToList();
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
    }

    // Planning takes longer than reading 51 rows. A custom plan for a cursor near the newest rows looks cheaper than
    // the generic plan, so the statement must hide the values from the planner.
    [Fact]
    public async Task A_page_near_the_newest_rows_is_not_planned_each_time()
    {
        await using var source = filled.OneConnection();
        var results = new CheckResultRepository(
            new(source, source, new PostgresDialect(source, new(source, DatabaseSettings.DefaultAppRole, required: true)), null));
        for (var i = 0; i < 12; i++)
        {
            var page = await results.List(Organization, new(), new(new(2026, 1, 29, 22, 0, i, TimeSpan.Zero), "x"), 50, Ct);
            Assert.Equal(50, page.Items.Count);
        }

        await using var connection = await source.OpenConnectionAsync(Ct);
        var (generic, custom) = await connection.QuerySingleAsync<(long, long)>(
            "select generic_plans, custom_plans from pg_prepared_statements where statement like '%CheckResults.List%'");
        Assert.True(generic >= 5, $"{generic} generic plans, {custom} custom plans.");
    }

    // Each filter limits the time that it is sorted by. A limit of another time cannot limit what is read from the
    // index.
    private static IEnumerable<RunFilter> RunFilters(string pipeline, DateTimeOffset since, DateTimeOffset until, DateTimeOffset end) =>
        from order in Enum.GetValues<RunOrder>()
        from of in new[] { null, pipeline }
        from statuses in new string[]?[] { null, ["failed"], ["failed", "running"] }
        from times in new (DateTimeOffset? Since, DateTimeOffset? Until)[] { (null, null), (since, null), (null, until), (since, end) }
        let filter = new RunFilter { Order = order, PipelineId = of, Statuses = statuses }
        select order switch
        {
            RunOrder.Started => filter with { StartedSince = times.Since, StartedUntil = times.Until },
            RunOrder.Ended => filter with { EndedSince = times.Since, EndedUntil = times.Until },
            _ => filter with { Since = times.Since, Until = times.Until },
        };

    internal static string NameOf(string query) => query.TrimStart()[3..].Split('\n')[0].Trim();

    private static IEnumerable<string> Faults(string query, JsonElement plan)
    {
        var type = plan.GetProperty("Node Type").GetString()!;
        if (type == "Seq Scan")
        {
            yield return $"reads all of {plan.GetProperty("Relation Name").GetString()}: {query}";
        }

        // With row-level security, Postgres compares row by row unless it knows that the comparison leaks no rows.
        if (ComparesPosition(plan, "Filter") && !FewRows.ContainsKey(NameOf(query)))
        {
            yield return $"compares row by row {plan.GetProperty("Filter")}: {query}";
        }

        // Current edges must be read from the index alone; ended edges are read from the table.
        if (type == "Index Scan" && plan.GetProperty("Relation Name").GetString() == "lineage_edges"
            && NameOf(query).StartsWith("Lineage.", StringComparison.Ordinal) && !query.Contains("valid_to >", StringComparison.Ordinal))
        {
            yield return $"reads the table for values that {plan.GetProperty("Index Name").GetString()} should contain: {query}";
        }

        // The rows of a subquery named page are already limited, so they may be sorted.
        if (type.EndsWith("Sort", StringComparison.Ordinal) && !FewRows.ContainsKey(NameOf(query))
            && !plan.GetProperty("Sort Key").EnumerateArray().All(key => key.GetString()!.StartsWith("page.", StringComparison.Ordinal)))
        {
            yield return $"sorts by {plan.GetProperty("Sort Key")}: {query}";
        }

        if (plan.TryGetProperty("Plans", out var inner))
        {
            foreach (var fault in inner.EnumerateArray().SelectMany(node => Faults(query, node)))
            {
                yield return fault;
            }
        }
    }
}
