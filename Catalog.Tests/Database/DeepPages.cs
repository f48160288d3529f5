using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Executions;
using Catalog.Data.Lineage;
using Catalog.Data.Organizations;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;

namespace Catalog.Tests.Database;

/// <summary>
/// A page of each list after a position, with the name of its statement. The results of one run are left out: their
/// order is computed, and a page reads all of them.
/// </summary>
internal static class DeepPages
{
    private const string Organization = "default";
    private static readonly DateTimeOffset Middle = new(2026, 1, 15, 0, 0, 0, TimeSpan.Zero);
    private static readonly Cursor Position = new(Middle, "x");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static IEnumerable<(string Statement, Func<Task> Read)> Of(CatalogDatabase db)
    {
        var results = new CheckResultRepository(db);
        var pipelines = new PipelineRepository(db, results);
        var runs = new RunRepository(db);
        var state = new Cursor(new(3, TimeSpan.Zero), Cursor.Pair("p77", "k1"));
        var check = new Cursor(Middle, "1:x");
        return
        [
            ("Runs.Events", () => new RunEventRepository(db).List(Organization, "r12345", Position, 50, Ct)),
            ("RunNeighbors.Of", async () => await new RunNeighbors(db).Of(
                Organization, (await runs.Find(Organization, "r12345", Ct))!.Run, Ct)),
            .. new CheckResultFilter[]
            {
                new(), new() { PipelineId = "p77" }, new() { CheckId = "k7" }, new() { PipelineId = "p77", CheckId = "k7" },
                new() { PipelineId = "p77", Since = Middle.AddDays(-10) }, new() { CheckId = "k7", Since = Middle.AddDays(-10) },
            }.Select(filter => (
                filter.PipelineId is null == filter.CheckId is null ? "CheckResults.List" : "CheckResults.ListOfChecks",
                (Func<Task>)(() => results.List(Organization, filter, Position, 50, Ct)))),
            .. new CheckFilter[] { new(), new() { PipelineId = "p77" }, new() { Kind = "freshness" } }
                .Select(filter => ("Checks.List", (Func<Task>)(() => new CheckRepository(db).List(Organization, filter, check, 50, Ct)))),
            .. new CheckStateFilter[] { new(), new() { PipelineId = "p77" } }.Select(filter =>
                ("CheckStateFold.List", (Func<Task>)(() => new CheckStateRepository(db).List(Organization, filter, state, 50, Ct)))),
            .. new[] { null, "p77" }.Select(pipeline => ("CheckStatusChanges.Flapping",
                (Func<Task>)(() => new CheckStatusChanges(db).Flapping(Organization, pipeline, 20, 3, state, 50, Ct)))),
            .. new PipelineFilter[] { new(), new() { Owner = "o1" } }
                .Select(filter => ("Pipelines.List", (Func<Task>)(() => pipelines.List(Organization, filter, Position, 50, Ct)))),
            ("Pipelines.Versions", () => pipelines.Versions(Organization, "p78", Position, 50, Ct)),
            .. new ExecutionFilter[] { new(), new() { PipelineId = "p77" }, new() { Status = "failed" } }.Select(filter =>
                ("Executions.List", (Func<Task>)(() => new ExecutionRepository(db).List(Organization, filter, Position, 50, Ct)))),
            ("Connections.List", () => new ConnectionRepository(db).List(Organization, null, Position, 50, Ct)),
            ("Datasets.List", () => new DatasetRepository(db).List(Organization, null, Position, 50, Ct)),
            ("ApiKeys.List", () => new ApiKeyRepository(db).List(Organization, Position, 50, Ct)),
            ("Audit.List", () => new AuditRepository(db).List(Organization, new(), Position, 50, Ct)),
        ];
    }

    /// <summary>
    /// Two pages of runs in each order, of all pipelines and of one, with and without limits of time and a position,
    /// and the index that all of them are read from.
    /// </summary>
    /// <returns>
    /// The index, how many of the two pages begin at a position or a time, and the call. The first page of all runs
    /// begins at neither.
    /// </returns>
    public static IEnumerable<(string Index, int Bounded, Func<CatalogDatabase, Task> Read)> OfRuns() =>
        from order in Enum.GetValues<RunOrder>()
        from pipeline in new[] { null, "p77" }
        let all = new RunFilter { Order = order, PipelineId = pipeline }
        from filter in Filters(all)
        from position in new Cursor?[] { null, Position }
        let index = order switch { RunOrder.Created => "created_at", RunOrder.Started => "started_order", _ => "ended_order" }
        select ($"runs_{(pipeline is null ? "" : "pipeline_id_")}{index}_idx", filter == all && position is null ? 1 : 2,
            (Func<CatalogDatabase, Task>)(db => ReadRuns(new RunRepository(db), filter, position)));

    private static RunFilter[] Filters(RunFilter filter)
    {
        var (since, until) = (Middle.AddDays(-10), Middle.AddDays(10));
        return filter.Order switch
        {
            RunOrder.Created => [filter, filter with { Since = since }, filter with { Until = until }],
            RunOrder.Started => [filter, filter with { StartedSince = since }, filter with { StartedUntil = until }],
            _ => [filter, filter with { EndedSince = since }, filter with { EndedUntil = until }],
        };
    }

    private static async Task ReadRuns(RunRepository runs, RunFilter filter, Cursor? position)
    {
        var page = await runs.List(Organization, filter, position, 10, Ct);
        Assert.Equal(10, page.Items.Count);
        var next = await runs.List(Organization, filter, page.Next, 10, Ct);
        var both = page.Items.Concat(next.Items).Select(item => PlaceOf(item.Run, filter.Order)).ToList();
        Assert.Equal(both.OrderByDescending(place => place.At).ThenByDescending(place => place.Id, StringComparer.Ordinal), both);
        Assert.Equal(both.Count, both.Distinct().Count());
        Assert.True(position is null || both[0].At <= Middle);
    }

    private static (DateTimeOffset At, string Id) PlaceOf(Run run, RunOrder order) => (order switch
    {
        RunOrder.Created => run.CreatedAt,
        RunOrder.Started => run.StartedAt ?? run.CreatedAt,
        _ => run.CompletedAt ?? DateTimeOffset.MaxValue,
    }, run.Id);
}
