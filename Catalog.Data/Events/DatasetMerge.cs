using Catalog.Data.Database;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Events;

/// <summary>Moves everything that is stored under one name of a dataset to another name.</summary>
internal sealed class DatasetMerge(Session session, string organization, DatasetName merged, DatasetName kept)
{
    /// <returns>The pipelines whose edges changed.</returns>
    public async Task<IReadOnlyList<string>> Run(DateTimeOffset now, CancellationToken ct)
    {
        const string Facets = """
            -- DatasetMerge.Facets
            insert into facets (organization_id, subject, subject_id, facet, value_hash, value, first_at, last_at)
            select organization_id, subject, @keptText, facet, value_hash, value, first_at, last_at
            from facets
            where organization_id = @organization and subject = 'dataset' and subject_id = @mergedText
            on conflict (organization_id, subject, subject_id, facet, value_hash)
            """;
        const string Uses = """
            -- DatasetMerge.Uses
            insert into run_datasets (organization_id, run_id, direction, dataset, first_at, last_at, row_count, byte_count, file_count, measured_at)
            select organization_id, run_id, direction, @kept, first_at, last_at, row_count, byte_count, file_count, measured_at
            from run_datasets
            where organization_id = @organization and dataset = @merged
            on conflict (organization_id, run_id, direction, dataset)
            """;
        const string Columns = """
            -- DatasetMerge.Columns
            insert into column_edges (organization_id, downstream, downstream_column, upstream, upstream_column, pipeline_id, transformation,
                first_at, last_at)
            select organization_id, case when downstream = @merged then @kept else downstream end, downstream_column,
                   case when upstream = @merged then @kept else upstream end, upstream_column, pipeline_id, max(transformation), min(first_at),
                   max(last_at)
            from column_edges
            where organization_id = @organization and (downstream = @merged or upstream = @merged)
            group by 1, 2, 3, 4, 5, 6
            on conflict (organization_id, downstream, downstream_column, upstream, upstream_column, pipeline_id)
            """;
        const string Alias = """
            -- DatasetMerge.Alias
            insert into dataset_aliases (organization_id, alias, namespace, name, dataset, created_at)
            values (@organization, @merged, @ns, @name, @kept, @now)
            on conflict (organization_id, alias) do update set dataset = excluded.dataset
            """;
        string[] rest =
        [
            """
            -- DatasetMerge.InsertDataset
            insert into datasets (organization_id, id, namespace, name, created_at)
            values (@organization, @kept, @keptNamespace, @keptName, @now)
            on conflict (organization_id, id) do nothing
            """,
            Facets + Widen("facets"),
            """
            -- DatasetMerge.DeleteFacets
            delete from facets where organization_id = @organization and subject = 'dataset' and subject_id = @mergedText
            """,
            Uses + Widen("run_datasets") + Measures,
            """
            -- DatasetMerge.DeleteUses
            delete from run_datasets where organization_id = @organization and dataset = @merged
            """,
            Columns + Widen("column_edges") + """
                , transformation = case when excluded.transformation > column_edges.transformation then excluded.transformation
                    else column_edges.transformation end
                """,
            """
            -- DatasetMerge.DeleteColumns
            delete from column_edges where organization_id = @organization and (downstream = @merged or upstream = @merged)
            """,
            .. Edges("upstream", "downstream"),
            .. Edges("downstream", "upstream"),
            """
            -- DatasetMerge.Results
            update check_results set dataset = @keptId, dataset_key = @kept
            where organization_id = @organization and dataset_key = @merged
            """,
            """
            -- DatasetMerge.States
            update check_states set dataset = @keptId
            where organization_id = @organization and dataset = @mergedId
            """,
            $"""
            -- DatasetMerge.Checks
            update checks set dataset = @keptId
            where organization_id = @organization and pipeline_version = '{PipelineVersion.Reported}' and dataset = @mergedId
            """,
            """
            -- DatasetMerge.MoveAliases
            update dataset_aliases set dataset = @kept where organization_id = @organization and dataset = @merged
            """,
            Alias,
            """
            -- DatasetMerge.DeleteDataset
            delete from datasets where organization_id = @organization and id = @merged
            """,
        ];
        const string Pipelines = """
            -- DatasetMerge.Pipelines
            select distinct pipeline_id
            from lineage_edges
            where organization_id = @organization and (upstream = @kept or downstream = @kept) and last_at is not null
            """;

        var parameters = new
        {
            organization,
            merged = merged.Key,
            kept = kept.Key,
            mergedText = merged.Key.ToString(),
            keptText = kept.Key.ToString(),
            mergedId = merged.ShownId,
            keptId = kept.ShownId,
            ns = merged.Namespace,
            name = merged.Name,
            keptNamespace = kept.Namespace,
            keptName = kept.Name,
            now,
        };
        foreach (var sql in rest)
        {
            await session.Execute(sql, parameters, ct);
        }

        return await session.Many<string>(Pipelines, parameters, ct);
    }

    private static string Widen(string table) => $"""

        do update set first_at = case when excluded.first_at < {table}.first_at then excluded.first_at else {table}.first_at end,
            last_at = case when excluded.last_at > {table}.last_at then excluded.last_at else {table}.last_at end
        """;

    private const string Measures = $"""
        ,
            row_count = case when {LineageFactStatements.IsLaterMeasure} then excluded.row_count else run_datasets.row_count end,
            byte_count = case when {LineageFactStatements.IsLaterMeasure} then excluded.byte_count else run_datasets.byte_count end,
            file_count = case when {LineageFactStatements.IsLaterMeasure} then excluded.file_count else run_datasets.file_count end,
            measured_at = case when {LineageFactStatements.IsLaterMeasure} then excluded.measured_at else run_datasets.measured_at end
        """;

    // If the kept name already has the same edge, this edge gets the earlier start and the later last report of the two
    // edges, and the edge of the merged name is deleted. All other edges of the merged name get the kept name.
    private static string[] Edges(string end, string other) =>
    [
        $"""
        -- DatasetMerge.DeleteSelfEdges
        delete from lineage_edges
        where organization_id = @organization and {end} = @merged and {other} = @kept
        """,
        $"""
        -- DatasetMerge.WidenEdges
        update lineage_edges
        set valid_from = case when moved.valid_from < lineage_edges.valid_from then moved.valid_from else lineage_edges.valid_from end,
            last_at = case when moved.last_at > lineage_edges.last_at then moved.last_at else lineage_edges.last_at end
        from lineage_edges as moved
        where moved.organization_id = @organization and moved.{end} = @merged and moved.last_at is not null
          and lineage_edges.organization_id = @organization and lineage_edges.{end} = @kept and lineage_edges.{other} = moved.{other}
          and lineage_edges.pipeline_id = moved.pipeline_id and lineage_edges.last_at is not null
        """,
        $"""
        -- DatasetMerge.RemoveTwins
        delete from lineage_edges
        where organization_id = @organization and {end} = @merged and exists (
            select 1 from lineage_edges as twin
            where twin.organization_id = @organization and twin.{end} = @kept and twin.{other} = lineage_edges.{other}
              and twin.pipeline_id = lineage_edges.pipeline_id
              and (twin.valid_from = lineage_edges.valid_from or (twin.last_at is not null and lineage_edges.last_at is not null)))
        """,
        $"""
        -- DatasetMerge.MoveEdges
        update lineage_edges
        set {end} = @kept
        where organization_id = @organization and {end} = @merged
        """,
    ];
}
