using System.Text.Json;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;

namespace Catalog.Tests.Database;

/// <summary>The plans of the questions behind the pages.</summary>
public sealed partial class QueryPlanTests
{
    [Fact]
    public async Task No_answer_to_a_question_reads_or_sorts_a_whole_large_table()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await using var db = filled.Open(plans.Add);
        var results = new CheckResultRepository(db);
        var states = new CheckStateRepository(db);
        var changes = new CheckStatusChanges(db);
        var history = new PipelineHistory(db);
        var datasets = new DatasetRepository(db);
        var now = new DateTimeOffset(2026, 1, 30, 0, 0, 0, TimeSpan.Zero);
        var cursor = new Cursor(new(1, TimeSpan.Zero), "4:p500k1");
        var ofRun = new Cursor(now, "1:4c12345");

        foreach (var filter in new CheckStateFilter[]
        {
            new(), new() { Statuses = ["fail"] }, new() { Statuses = ["fail", "error"], Severity = "error" }, new() { PipelineId = "p77" },
            new() { PipelineId = "p77", Statuses = ["fail"] },
        })
        {
            await states.List(Organization, filter, null, 50, Ct);
            await states.List(Organization, filter, cursor, 500, Ct);
        }

        await states.Count(Organization, new() { Statuses = ["fail"] }, Ct);
        await results.Points(Organization, new() { PipelineId = "p12", CheckId = "k3", Since = now.AddDays(-30) }, 500, Ct);
        await states.CountByStatus(Organization, Ct);
        await results.OfRun(Organization, "r12345", null, 50, Ct);
        await results.OfRun(Organization, "r12345", ofRun, 500, Ct);
        await results.CountNewest(Organization, now.AddDays(-1), now, Ct);
        await changes.Flapping(Organization, null, 20, 3, null, 50, Ct);
        await changes.Flapping(Organization, "p77", 20, 3, cursor, 50, Ct);
        await changes.Streak(Organization, new() { PipelineId = "p77", CheckId = "k7" }, Ct);
        foreach (var order in Enum.GetValues<RunOrder>())
        {
            await new RunRepository(db).List(Organization, new() { Order = order, Statuses = ["failed"], EndedSince = now }, null, 50, Ct);
            await new RunRepository(db).List(Organization, new() { Order = order, Statuses = ["skipped"] }, ofRun, 500, Ct);
        }

        await new RunRepository(db).Count(Organization, new() { Statuses = ["failed"], EndedSince = now }, Ct);
        await new HourlyRunCounts(db).Count(Organization, now.AddDays(-1), now, Ct);
        await new PipelineRuns(db).RecentRuns(Organization, [.. Enumerable.Range(0, 500).Select(i => $"p{i}")], 30, Ct);
        await new OverduePipelines(db).Find(Organization, now, Ct);
        await new FailingPipelines(db).Find(Organization, 21, Ct);
        await new PipelineRepository(db, results).List(
            Organization, new() { Ids = [.. Enumerable.Range(0, 20).Select(i => $"p{i}")] }, null, 20, Ct);
        await new PipelineDurations(db).Measure(Organization, "p77", Ct);
        await history.Find(Organization, "p77", "1", Ct);
        await history.Before(Organization, "p77", new() { Version = "1", Body = "", CreatedAt = now, Current = true }, Ct);
        await history.Remains(Organization, "p77", Ct);
        await new PipelineRepository(db, results).List(Organization, new() { Deleted = true }, null, 50, Ct);
        foreach (var filter in new PipelineFilter[] { new() { Statuses = ["failed"] }, new() { Statuses = ["failed"], Owner = "o7" } })
        {
            await new PipelineRepository(db, results).List(Organization, filter, null, 50, Ct);
            await new PipelineRepository(db, results).Count(Organization, filter, Ct);
        }

        Guid[] drawn = [.. Enumerable.Range(0, 250).Select(i => DatasetId.Of($"d{i}"))];
        await new DatasetSummaries(db).Neighbours(Organization, drawn, null, Ct);
        await new DatasetSummaries(db).Neighbours(Organization, drawn, now, Ct);
        await new DatasetSummaries(db).Producers(Organization, drawn, Ct);
        await new DatasetSummaries(db).Checks(Organization, [.. Enumerable.Range(0, 100).Select(i => $"p{i}")], Ct);
        await datasets.OfPipeline(Organization, "p77", 125, Ct);
        await datasets.Outputs(Organization, "p77", Ct);
        await new LineageRepository(db, LineageBudget.Default).Downstream(
            Organization, [.. (await datasets.Outputs(Organization, "p77", Ct)).Take(5)], 20, Ct);

        var named = plans.Select(plan => NameOf(plan.Query)).ToHashSet(StringComparer.Ordinal);
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal)
        {
            "CheckStateFold.List", "CheckStateFold.Count", "CheckStateFold.CountByStatus", "CheckResults.OfRun", "CheckResults.CountNewest",
            "CheckStatusChanges.Flapping", "CheckStatusChanges.Streak", "Runs.Count", "Runs.ListFew", "Runs.ByHour", "PipelineRuns.Recent",
            "Pipelines.Scheduled", "FailingPipelines.ByRun", "FailingPipelines.ByCheck",
            "PipelineDurations.Started", "PipelineDurations.Stages", "PipelineHistory.Remains", "Datasets.Outputs", "Datasets.OfPipeline",
            "DatasetSummaries.Neighbours", "DatasetSummaries.Producers", "DatasetSummaries.Checks",
            "Pipelines.Count", "Pipelines.ListByStatus",
        }, named);
        var faults = plans.SelectMany(plan => Faults(plan.Query, plan.Plan)).Distinct().ToList();
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
        foreach (var (query, index) in new[]
        {
            ("Runs.Count", "runs_status_ended_at_idx"), ("Runs.AreFew", "runs_status_ended_at_idx"),
            ("Runs.ListFew", "runs_status_ended_at_idx"), ("Runs.ByHour", "runs_status_ended_at_idx"),
            ("PipelineRuns.Recent", "runs_pipeline_id_started_order_idx"), ("Pipelines.Scheduled", "pipelines_scheduled_idx"),
            ("Pipelines.Scheduled", "runs_pipeline_id_started_order_idx"),
            ("FailingPipelines.ByRun", "runs_status_ended_at_idx"), ("FailingPipelines.ByRun", "runs_pipeline_id_started_order_idx"),
            ("FailingPipelines.ByCheck", "check_states_status_idx"),
            ("PipelineDurations.Started", "runs_pipeline_id_started_order_idx"),
            ("CheckResults.OfRun", "check_results_run_idx"), ("Pipelines.List", "pipelines_deleted_idx"),
        })
        {
            Assert.All(plans.Where(plan => NameOf(plan.Query) == query), plan =>
                Assert.Contains($"\"{index}\"", plan.Plan.GetRawText(), StringComparison.Ordinal));
        }
    }
}
