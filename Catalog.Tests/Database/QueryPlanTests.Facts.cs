using System.Text.Json;
using Catalog.Data.DatasetReadiness;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Tests.Database;

/// <summary>The plans of the questions that facts of events answer.</summary>
public sealed partial class QueryPlanTests
{
    [Fact]
    public async Task No_answer_from_facts_reads_or_sorts_a_whole_large_table()
    {
        var plans = new List<(string Query, JsonElement Plan)>();
        await using var db = filled.Open(plans.Add);
        var lineage = new LineageRepository(db, LineageBudget.Default);
        var now = new DateTimeOffset(2026, 1, 30, 0, 0, 0, TimeSpan.Zero);

        foreach (var depth in new[] { 0, 1, 5 })
        {
            await new ReadinessRepository(db, lineage, new PipelineRuns(db), ReadinessRepository.DefaultBudget)
                .Find(Organization, "d5000", depth, null, now, Ct);
        }

        await lineage.Find(Organization, "d50001", Ct);
        await lineage.Walk(Organization, "d50001", LineageDirection.Both, 3, null, Ct);
        await new DatasetFactRepository(db).Of(Organization, DatasetId.Of("d5000"), Ct);
        foreach (var column in new[] { "", "c3" })
        {
            await new ColumnLineageRepository(db, lineage, LineageBudget.Default).Walk(
                Organization, "d5000", column, LineageDirection.Both, 5, Ct);
        }

        await new RunLineageRepository(db).Of(Organization, "r1234", now, Ct);
        await new RunLineageRepository(db).Of(Organization, "r1235", null, Ct);

        Assert.Superset(new HashSet<string>(StringComparer.Ordinal)
        {
            "Readiness.Uses", "Readiness.Runs", "Readiness.Checks", "Readiness.Pipelines", "Readiness.EdgesTo", "Lineage.OfAlias",
            "DatasetFacts.Facets", "DatasetFacts.Aliases", "DatasetFacts.Writes", "ColumnLineage.Edges",
            "RunLineage.Place", "RunLineage.Children", "RunLineage.Uses", "RunLineage.Beside",
        }, plans.Select(plan => NameOf(plan.Query)).ToHashSet(StringComparer.Ordinal));
        var faults = plans.SelectMany(plan => Faults(plan.Query, plan.Plan)).Distinct().ToList();
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
        foreach (var (query, index) in new[]
        {
            ("Readiness.Uses", "run_datasets_dataset_idx"), ("Readiness.Checks", "check_states_dataset_idx"),
            ("Readiness.Runs", "runs_pkey"), ("RunLineage.Beside", "run_datasets_dataset_idx"),
            ("RunLineage.Children", "lineage_runs_parent_run_id_idx"), ("DatasetFacts.Writes", "run_datasets_dataset_idx"),
        })
        {
            Assert.All(plans.Where(plan => NameOf(plan.Query) == query), plan =>
                Assert.Contains($"\"{index}\"", plan.Plan.GetRawText(), StringComparison.Ordinal));
        }
    }
}
