using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>The statements that fold <see cref="LineageFacts"/> into the tables of one organization.</summary>
internal static class LineageFactStatements
{
    private static readonly InputRows<FacetRow> FacetRows = new(
        new Column<FacetRow, string>("subject", row => row.Subject),
        new Column<FacetRow, string>("subject_id", row => row.Id),
        new Column<FacetRow, string>("facet", row => row.Facet),
        new Column<FacetRow, byte[]>("value_hash", row => row.Hash),
        new Column<FacetRow, string>("value", row => row.Value),
        new Column<FacetRow, DateTimeOffset>("first_at", row => row.First),
        new Column<FacetRow, DateTimeOffset>("last_at", row => row.Last));

    private static readonly InputRows<RunRow> RunRows = new(
        new Column<RunRow, string>("run_id", row => row.RunId),
        new Column<RunRow, string>("pipeline_id", row => row.PipelineId),
        new Column<RunRow, DateTimeOffset>("first_at", row => row.First),
        new Column<RunRow, DateTimeOffset>("last_at", row => row.Last),
        new Column<RunRow, bool>("completed", row => row.Completed),
        new Column<RunRow, bool>("has_edges", row => row.HasEdges),
        new Column<RunRow, string?>("parent_run_id", row => row.ParentRunId),
        new Column<RunRow, string?>("parent_job", row => row.ParentJob),
        new Column<RunRow, string?>("root_run_id", row => row.RootRunId));

    private static readonly InputRows<UseRow> UseRows = new(
        new Column<UseRow, string>("run_id", row => row.RunId),
        new Column<UseRow, string>("direction", row => row.Direction),
        new Column<UseRow, Guid>("dataset", row => row.Dataset),
        new Column<UseRow, DateTimeOffset>("first_at", row => row.First),
        new Column<UseRow, DateTimeOffset>("last_at", row => row.Last),
        new Column<UseRow, long?>("row_count", row => row.Rows),
        new Column<UseRow, long?>("byte_count", row => row.Bytes),
        new Column<UseRow, long?>("file_count", row => row.Files),
        new Column<UseRow, DateTimeOffset?>("measured_at", row => row.MeasuredAt));

    private static readonly InputRows<ColumnRow> ColumnRows = new(
        new Column<ColumnRow, Guid>("downstream", row => row.Downstream),
        new Column<ColumnRow, string>("downstream_column", row => row.DownstreamColumn),
        new Column<ColumnRow, Guid>("upstream", row => row.Upstream),
        new Column<ColumnRow, string>("upstream_column", row => row.UpstreamColumn),
        new Column<ColumnRow, string>("pipeline_id", row => row.PipelineId),
        new Column<ColumnRow, string>("transformation", row => row.Transformation),
        new Column<ColumnRow, DateTimeOffset>("first_at", row => row.First),
        new Column<ColumnRow, DateTimeOffset>("last_at", row => row.Last));

    private static readonly InputRows<UnreadRow> UnreadRows = new(
        new Column<UnreadRow, string>("place", row => row.Key.Place),
        new Column<UnreadRow, string>("facet", row => row.Key.Facet),
        new Column<UnreadRow, string>("reason", row => row.Key.Reason),
        new Column<UnreadRow, long>("events", row => row.Events),
        new Column<UnreadRow, DateTimeOffset>("first_at", row => row.First),
        new Column<UnreadRow, DateTimeOffset>("last_at", row => row.Last));

    /// <summary>All statements, in the order in which they must run. Every list is sorted by its key.</summary>
    public static IEnumerable<Statement> All(Dialect dialect, string organization, DateTimeOffset now, List<DatasetName> datasets,
        List<FacetRow> facets, List<RunRow> runs, List<UseRow> uses, List<RunRow> runsWithUses, List<EdgeRow> edges,
        List<ColumnRow> columns, List<string> pipelines, List<UnreadRow> unread) =>
    [
        InsertDatasets(organization, now, datasets),
        new Statement<FacetRow, NoResult>(organization, UpsertFacets, FacetRows, facets),
        new Statement<RunRow, NoResult>(organization, UpsertRuns, RunRows, runs),
        new Statement<UseRow, NoResult>(organization, UpsertUses, UseRows, uses),
        .. ReportedEdgeStatements.All(dialect, organization, runsWithUses, edges, pipelines),
        new Statement<ColumnRow, NoResult>(organization, UpsertColumns, ColumnRows, columns),
        new Statement<UnreadRow, NoResult>(organization, CountUnread, UnreadRows, unread),
    ];

    private static Statement<DatasetName, NoResult> InsertDatasets(string organization, DateTimeOffset now, List<DatasetName> datasets)
    {
        var rows = new InputRows<DatasetName>(
            new Column<DatasetName, Guid>("id", dataset => dataset.Key),
            new Column<DatasetName, string>("namespace", dataset => dataset.Namespace),
            new Column<DatasetName, string>("name", dataset => dataset.Name),
            new Column<DatasetName, DateTimeOffset>("created_at", _ => now));
        const string Sql = """
            -- LineageFacts.InsertDatasets
            insert into datasets (organization_id, id, namespace, name, created_at)
            select @organization, rows.id, rows.namespace, rows.name, rows.created_at
            from rows
            where true
            on conflict (organization_id, id) do nothing
            """;

        return new(organization, Sql, rows, datasets);
    }

    private const string UpsertFacets = """
        -- LineageFacts.UpsertFacets
        insert into facets (organization_id, subject, subject_id, facet, value_hash, value, first_at, last_at)
        select @organization, rows.subject, rows.subject_id, rows.facet, rows.value_hash, rows.value, rows.first_at, rows.last_at
        from rows
        where true
        on conflict (organization_id, subject, subject_id, facet, value_hash) do update
        set first_at = case when excluded.first_at < facets.first_at then excluded.first_at else facets.first_at end,
            last_at = case when excluded.last_at > facets.last_at then excluded.last_at else facets.last_at end
        where excluded.first_at < facets.first_at or excluded.last_at > facets.last_at
        """;

    private const string UpsertRuns = """
        -- LineageFacts.UpsertRuns
        insert into lineage_runs (organization_id, run_id, pipeline_id, first_at, last_at, completed, has_edges, parent_run_id, parent_job,
            root_run_id)
        select @organization, rows.run_id, rows.pipeline_id, rows.first_at, rows.last_at, rows.completed, rows.has_edges, rows.parent_run_id,
               rows.parent_job, rows.root_run_id
        from rows
        where true
        on conflict (organization_id, run_id) do update
        set first_at = case when excluded.first_at < lineage_runs.first_at then excluded.first_at else lineage_runs.first_at end,
            last_at = case when excluded.last_at > lineage_runs.last_at then excluded.last_at else lineage_runs.last_at end,
            completed = lineage_runs.completed or excluded.completed,
            has_edges = lineage_runs.has_edges or excluded.has_edges,
            parent_run_id = case when lineage_runs.parent_run_id >= coalesce(excluded.parent_run_id, '') then lineage_runs.parent_run_id
                else coalesce(excluded.parent_run_id, lineage_runs.parent_run_id) end,
            parent_job = case when lineage_runs.parent_job >= coalesce(excluded.parent_job, '') then lineage_runs.parent_job
                else coalesce(excluded.parent_job, lineage_runs.parent_job) end,
            root_run_id = case when lineage_runs.root_run_id >= coalesce(excluded.root_run_id, '') then lineage_runs.root_run_id
                else coalesce(excluded.root_run_id, lineage_runs.root_run_id) end
        """;

    /// <summary>
    /// A condition in an upsert: the measures of the new row (<c>excluded</c>) are later than those of the stored row.
    /// </summary>
    internal const string IsLaterMeasure = """
        excluded.measured_at is not null and (run_datasets.measured_at is null
            or (excluded.measured_at, coalesce(excluded.row_count, -1), coalesce(excluded.byte_count, -1), coalesce(excluded.file_count, -1))
             > (run_datasets.measured_at, coalesce(run_datasets.row_count, -1), coalesce(run_datasets.byte_count, -1),
                coalesce(run_datasets.file_count, -1)))
        """;

    private const string UpsertUses = $"""
        -- LineageFacts.UpsertUses
        insert into run_datasets (organization_id, run_id, direction, dataset, first_at, last_at, row_count, byte_count, file_count, measured_at)
        select @organization, rows.run_id, rows.direction, rows.dataset, rows.first_at, rows.last_at, rows.row_count, rows.byte_count,
               rows.file_count, rows.measured_at
        from rows
        where true
        on conflict (organization_id, run_id, direction, dataset) do update
        set first_at = case when excluded.first_at < run_datasets.first_at then excluded.first_at else run_datasets.first_at end,
            last_at = case when excluded.last_at > run_datasets.last_at then excluded.last_at else run_datasets.last_at end,
            row_count = case when {IsLaterMeasure} then excluded.row_count else run_datasets.row_count end,
            byte_count = case when {IsLaterMeasure} then excluded.byte_count else run_datasets.byte_count end,
            file_count = case when {IsLaterMeasure} then excluded.file_count else run_datasets.file_count end,
            measured_at = case when {IsLaterMeasure} then excluded.measured_at else run_datasets.measured_at end
        """;

    private const string UpsertColumns = """
        -- LineageFacts.UpsertColumns
        insert into column_edges (organization_id, downstream, downstream_column, upstream, upstream_column, pipeline_id, transformation,
            first_at, last_at)
        select @organization, rows.downstream, rows.downstream_column, rows.upstream, rows.upstream_column, rows.pipeline_id,
               rows.transformation, rows.first_at, rows.last_at
        from rows
        where true
        on conflict (organization_id, downstream, downstream_column, upstream, upstream_column, pipeline_id) do update
        set first_at = case when excluded.first_at < column_edges.first_at then excluded.first_at else column_edges.first_at end,
            last_at = case when excluded.last_at > column_edges.last_at then excluded.last_at else column_edges.last_at end,
            transformation = case when excluded.transformation > column_edges.transformation then excluded.transformation
                else column_edges.transformation end
        where excluded.first_at < column_edges.first_at or excluded.last_at > column_edges.last_at
            or excluded.transformation > column_edges.transformation
        """;

    private const string CountUnread = """
        -- LineageFacts.CountUnread
        insert into unread_facets (organization_id, place, facet, reason, events, first_at, last_at)
        select @organization, rows.place, rows.facet, rows.reason, rows.events, rows.first_at, rows.last_at
        from rows
        where true
        on conflict (organization_id, place, facet, reason) do update
        set events = unread_facets.events + excluded.events,
            first_at = case when excluded.first_at < unread_facets.first_at then excluded.first_at else unread_facets.first_at end,
            last_at = case when excluded.last_at > unread_facets.last_at then excluded.last_at else unread_facets.last_at end
        """;
}
