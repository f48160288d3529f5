using System.Text.Json;
using Catalog.Data.Marquez;
using Catalog.Data.Pipelines;

namespace Catalog.Tests.Database;

/// <summary>The plans of Marquez's API.</summary>
public sealed partial class QueryPlanTests
{
    [Fact]
    public async Task No_answer_of_Marquezs_API_reads_a_whole_large_table()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await using var db = filled.Open(plans.Add);
        var runs = new MarquezRuns(db);
        var jobs = new MarquezJobs(db);
        var details = new MarquezJobDetails(db, new PipelineRuns(db), runs, jobs);
        var datasets = new MarquezDatasets(db);
        var datasetDetails = new MarquezDatasetDetails(db);
        var now = new DateTimeOffset(2026, 1, 30, 0, 0, 0, TimeSpan.Zero);

        List<JobRow> rows = [];
        foreach (var filter in new JobFilter[] { new(null, null), new(null, ["failed"]), new("default", null), new("p7", null) })
        {
            rows.AddRange((await jobs.List(Organization, filter, 100, 500, Ct)).Jobs);
        }

        await details.Of(Organization, [.. rows.DistinctBy(row => row.Id).Take(100)], Ct);
        await jobs.Find(Organization, [new("default", "p77"), new("x", "y")], Ct);
        var (ofJob, _) = await runs.OfPipeline(Organization, "p77", 100, 500, Ct);
        await runs.Facts(Organization, ofJob, Ct);
        await runs.OfIds(Organization, ["r1234", "r1235"], Ct);
        var (found, _) = await datasets.List(Organization, "default", 100, 500, Ct);
        await datasetDetails.Of(Organization, found, Ct);
        var dataset = (await datasets.Find(Organization, [new("default", "d5000"), new("x", "y")], Ct))!;
        await datasetDetails.Of(Organization, [dataset], Ct);
        await datasets.Writes(Organization, dataset.Id, 100, 500, Ct);
        await datasets.History(Organization, dataset.Id, Ct);
        await new MarquezGraph(db, jobs, details, datasetDetails).Around(Organization, dataset, 2, Ct);
        await new MarquezEvents(db).List(Organization, now.AddYears(-9), now.AddYears(9), true, 100, 500, Ct);
        await new MarquezStatistics(db).Hours(Organization, now.AddDays(-1), now, Ct);
        await new MarquezNamespaces(db).Tags(Organization, Ct);

        var faults = plans.SelectMany(plan => Faults(plan.Query, plan.Plan)).Distinct().ToList();
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
        foreach (var (query, index) in new[]
        {
            ("Marquez.Runs", "runs_pipeline_id_started_order_idx"), ("Marquez.RunsOfIds", "runs_pkey"),
            ("Marquez.JobsOfIds", "pipelines_pkey"),
            ("Marquez.Uses", "run_datasets_pkey"), ("Marquez.LastWrites", "run_datasets_dataset_idx"), ("Marquez.Facets", "facets_pkey"),
            ("Marquez.Writes", "run_datasets_dataset_idx"), ("Marquez.States", "check_states_dataset_idx"),
            ("Marquez.JobsOfDatasets", "run_datasets_dataset_idx"), ("Marquez.JobEdges", "lineage_edges_now_pipeline_id_idx"),
        })
        {
            var own = plans.Where(plan => NameOf(plan.Query) == query).ToList();
            Assert.NotEmpty(own);
            Assert.All(own, plan => Assert.True(
                plan.Plan.GetRawText().Contains($"\"{index}\"", StringComparison.Ordinal), $"{query}\n{plan.Plan}"));
        }
    }
}
