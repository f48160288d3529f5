using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>
/// The statements that fold reported edges. An edge is valid from its first report. It ends at the start of the first
/// later completed run of its pipeline that reported edges but not this edge. The order in which reports arrive does
/// not matter.
/// </summary>
internal static class ReportedEdgeStatements
{
    private static readonly InputRows<EdgeRow> EdgeRows = new(
        new Column<EdgeRow, string>("pipeline_id", row => row.PipelineId),
        new Column<EdgeRow, Guid>("upstream", row => row.Upstream),
        new Column<EdgeRow, Guid>("downstream", row => row.Downstream),
        new Column<EdgeRow, DateTimeOffset>("first_at", row => row.First),
        new Column<EdgeRow, DateTimeOffset>("last_at", row => row.Last));

    private static readonly InputRows<RunRow> RunRows = new(
        new Column<RunRow, string>("run_id", row => row.RunId), new Column<RunRow, string>("pipeline_id", row => row.PipelineId));

    private static readonly InputRows<RunRow> MarkRows = new(
        new Column<RunRow, string>("run_id", row => row.RunId), new Column<RunRow, string>("pipeline_id", row => row.PipelineId),
        new Column<RunRow, DateTimeOffset>("first_at", row => row.First), new Column<RunRow, DateTimeOffset>("last_at", row => row.Last));

    private static readonly InputRows<string> Ids = new(new Column<string, string>("pipeline_id", id => id));

    /// <summary>All statements, in the order in which they must run.</summary>
    /// <param name="dialect">The engine.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="runs">Runs whose inputs or outputs changed.</param>
    /// <param name="edges">Edges that events state one by one.</param>
    /// <param name="pipelines">Pipelines whose runs or edges changed.</param>
    public static IEnumerable<Statement> All(
        Dialect dialect, string organization, List<RunRow> runs, List<EdgeRow> edges, List<string> pipelines)
    {
        var uses = Uses(dialect);
        var ofRuns = uses + OfRuns;
        return
        [
            new Statement<RunRow, NoResult>(
                organization, $"-- ReportedEdges.MarkRuns\n{uses}{MarkRuns}", MarkRows, runs.FindAll(run => !run.HasEdges)),
            // SQLite runs this statement once for each run. So when two runs have the same new edge, only the first run
            // inserts it, and the next statement adds the times of the second run.
            new Statement<RunRow, NoResult>(organization, $"-- ReportedEdges.InsertOfRuns\n{ofRuns}{Insert}", RunRows, runs),
            new Statement<RunRow, NoResult>(organization, $"-- ReportedEdges.WidenOfRuns\n{ofRuns}{Widen}", RunRows, runs),
            new Statement<EdgeRow, NoResult>(organization, $"-- ReportedEdges.Insert\n{OfRows}{Insert}", EdgeRows, edges),
            new Statement<EdgeRow, NoResult>(organization, $"-- ReportedEdges.Widen\n{OfRows}{Widen}", EdgeRows, edges),
            new Statement<string, NoResult>(organization, End, Ids, pipelines),
        ];
    }

    // Looks up each run by the index. Otherwise the server could use a plan from the time when the table was nearly
    // empty, and read all rows of the table.
    private static string Uses(Dialect dialect)
    {
        string Of(string direction) => $"""
            {direction}s as (
                select rows.run_id, rows.pipeline_id, run_datasets.dataset, run_datasets.first_at, run_datasets.last_at
                from rows
                {dialect.JoinByIndex("run_datasets", $"organization_id = @organization and direction = '{direction}'", "run_id", "rows.run_id")}
            )
            """;
        return $", {Of("input")}, {Of("output")}";
    }

    // Each run exists, so this insert always becomes an update. It is an upsert because an upsert finds each run by its
    // key.
    private const string MarkRuns = """

        insert into lineage_runs (organization_id, run_id, pipeline_id, first_at, last_at, completed, has_edges)
        select @organization, rows.run_id, rows.pipeline_id, rows.first_at, rows.last_at, false, true
        from rows
        where rows.run_id in (select run_id from inputs) and rows.run_id in (select run_id from outputs)
        on conflict (organization_id, run_id) do update
        set has_edges = true
        where not lineage_runs.has_edges
        """;

    private const string OfRows = """
        , pairs as (select pipeline_id, upstream, downstream, first_at, last_at from rows)
        """;

    private const string OfRuns = """
        , pairs as (
            select inputs.pipeline_id, inputs.dataset as upstream, outputs.dataset as downstream,
                   min(case when inputs.first_at < outputs.first_at then inputs.first_at else outputs.first_at end) as first_at,
                   max(case when inputs.last_at > outputs.last_at then inputs.last_at else outputs.last_at end) as last_at
            from inputs
            join outputs on outputs.run_id = inputs.run_id and outputs.dataset <> inputs.dataset
            group by inputs.pipeline_id, inputs.dataset, outputs.dataset
        )
        """;

    private const string Widen = """

        update lineage_edges
        set valid_from = case when pairs.first_at < lineage_edges.valid_from then pairs.first_at else lineage_edges.valid_from end,
            last_at = case when pairs.last_at > lineage_edges.last_at then pairs.last_at else lineage_edges.last_at end
        from pairs
        where lineage_edges.organization_id = @organization and lineage_edges.upstream = pairs.upstream
          and lineage_edges.downstream = pairs.downstream and lineage_edges.pipeline_id = pairs.pipeline_id
          and lineage_edges.last_at is not null
          and (pairs.first_at < lineage_edges.valid_from or pairs.last_at > lineage_edges.last_at)
        """;

    private const string Insert = """

        insert into lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from, last_at)
        select @organization, pairs.upstream, pairs.downstream, pairs.pipeline_id, pairs.first_at, pairs.last_at
        from pairs
        where not exists (
            select 1 from lineage_edges as known
            where known.organization_id = @organization and known.upstream = pairs.upstream and known.downstream = pairs.downstream
              and known.pipeline_id = pairs.pipeline_id and known.last_at is not null)
        order by pairs.upstream, pairs.downstream
        on conflict (organization_id, upstream, downstream, pipeline_id, valid_from) do nothing
        """;

    private const string NextEnd = """
        (select min(runs.first_at)
            from lineage_runs as runs
            where runs.organization_id = @organization and runs.pipeline_id = lineage_edges.pipeline_id and runs.completed and runs.has_edges
              and runs.first_at > lineage_edges.last_at)
        """;

    private const string End = $"""
        -- ReportedEdges.End
        update lineage_edges
        set valid_to = {NextEnd}
        from rows
        where lineage_edges.organization_id = @organization and lineage_edges.pipeline_id = rows.pipeline_id
          and lineage_edges.last_at is not null and lineage_edges.valid_to is distinct from {NextEnd}
        """;
}
