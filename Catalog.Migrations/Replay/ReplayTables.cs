using Catalog.Data.Events;
using Catalog.Data.Pipelines;

namespace Catalog.Migrations.Replay;

/// <summary>The tables that the log is folded into, and statements for them.</summary>
internal static class ReplayTables
{
    // SQL condition for the rows of pipelines that are not deleted. Rows of a deleted pipeline stay as they were at its
    // deletion, even after retention has removed the pipeline.
    private const string OfLivePipeline = $"""
        exists (select 1 from {ReplayShadow.Schema}.pipelines as known
            where known.organization_id = @organization and known.id = t.pipeline_id)
        and not exists (select 1 from pipelines as deleted
            where deleted.organization_id = @organization and deleted.id = t.pipeline_id and deleted.deleted_at is not null)
        """;

    private const string NotDeleted = """
        not exists (select 1 from pipelines as deleted
            where deleted.organization_id = @organization and deleted.id = t.id and deleted.deleted_at is not null)
        """;

    // In the primary key of the log, the dialect is before the digest. So a search by digest names all dialects.
    private const string AnyDialect =
        $"log.dialect in ('{EventDialect.OpenLineage}', '{EventDialect.Dbt}', '{EventDialect.Otlp}')";

    /// <summary>The tables, in the order in which rows are inserted.</summary>
    /// <param name="resultOfLog">SQL condition: an event reported the check result <c>t</c>.</param>
    public static ReplayTable[] All(string resultOfLog) =>
    [
        // Once a pipeline exists, it belongs to its users. So a replay never deletes it.
        new("pipelines", ["id"], ["description", "owner"])
        {
            Copied = ["current_version", "search_key", "created_at", "updated_at"],
            FirstAt = null,
            Condition = $"t.current_version = '{PipelineVersion.Reported}' and {NotDeleted}",
            DeletesRows = false,
        },
        new("pipeline_versions", ["pipeline_id", "version"], [])
        {
            Copied = ["body", "body_hash", "created_at"],
            FirstAt = null,
            Condition = $"t.version = '{PipelineVersion.Reported}'",
            DeletesRows = false,
        },
        new("pipeline_tags", ["pipeline_id", "tag"], []) { FirstAt = null, DeletesRows = false },
        new("datasets", ["id"], [])
        {
            Copied = ["namespace", "name", "created_at"],
            FirstAt = "t.created_at",
            // Datasets that no row refers to any more are deleted at the end, by DeleteDatasets.
            DeletesRows = false,
        },
        new("dataset_aliases", ["alias"], ["namespace", "name", "dataset"]) { Copied = ["created_at"], FirstAt = null },
        new("facets", ["subject", "subject_id", "facet", "value_hash"], ["value", "first_at", "last_at"]),
        new("lineage_runs", ["run_id"],
            ["pipeline_id", "first_at", "last_at", "completed", "has_edges", "parent_run_id", "parent_job", "root_run_id"]),
        new("run_datasets", ["run_id", "direction", "dataset"],
            ["first_at", "last_at", "row_count", "byte_count", "file_count", "measured_at"]),
        new("lineage_edges", ["upstream", "downstream", "pipeline_id"], ["valid_from", "valid_to", "last_at"])
        {
            FirstAt = "t.valid_from",
            Condition = $"t.last_at is not null and {OfLivePipeline}",
        },
        new("column_edges", ["downstream", "downstream_column", "upstream", "upstream_column", "pipeline_id"],
            ["transformation", "first_at", "last_at"]) { Condition = OfLivePipeline },
        new("unread_facets", ["place", "facet", "reason"], ["events", "first_at", "last_at"]) { FirstAt = null },
        // For a run, only its pipeline is compared. Everything else follows from its events.
        new("runs", ["id"], ["pipeline_id"])
        {
            FirstAt = "t.created_at",
            Condition = OfLivePipeline,
            DeletesRows = false,
            InsertsRows = false,
        },
        new("check_results", ["id"],
        [
            "pipeline_id", "check_id", "run_id", "status", "severity", "dataset", "observed_value", "expected", "failed_rows", "total_rows",
            "message", "executed_at", "duration_seconds", "metadata",
        ])
        {
            Copied = ["dataset_key", "observed_number", "request_hash", "created_at"],
            FirstAt = "t.executed_at",
            Condition = $"{resultOfLog} and {OfLivePipeline}",
        },
        new("checks", ["pipeline_id", "id"], ["dataset", "kind", "severity", "definition", "updated_at"])
        {
            Copied = ["pipeline_version", "created_at"],
            FirstAt = "t.created_at",
            Condition = $"t.pipeline_version = '{PipelineVersion.Reported}' and {OfLivePipeline}",
        },
        new("run_events", ["run_id", "digest"], ["body"])
        {
            Copied = ["report", "received_at"],
            // The shadow stores a whole batch with one time of receipt, so the real time is read from the log.
            Replaced = new Dictionary<string, string>
            {
                ["received_at"] = $"""
                    (select min(log.received_at) from shadow.lineage_events as log
                     where log.organization_id = t.organization_id and {AnyDialect} and log.digest = t.digest)
                    """,
            },
            FirstAt = $"""
                (select min(log.received_at) from lineage_events as log
                 where log.organization_id = t.organization_id and {AnyDialect} and log.digest = t.digest)
                """,
            Condition = $"""
                exists (select 1 from lineage_events as log
                    where log.organization_id = @organization and {AnyDialect} and log.digest = t.digest)
                and not exists (select 1 from runs join pipelines on pipelines.organization_id = runs.organization_id
                        and pipelines.id = runs.pipeline_id
                    where runs.organization_id = @organization and runs.id = t.run_id and pipelines.deleted_at is not null)
                """,
        },
    ];

    /// <summary>SQL that deletes the datasets that are not in the shadow and that no row names any more.</summary>
    /// <param name="shadow">The schema of the shadow.</param>
    public static string DeleteDatasets(string shadow) => $"""
        -- Replay.DeleteDatasets
        delete from datasets
        where organization_id = @organization and created_at >= @horizon
          and not exists (select 1 from {shadow}.datasets as s where s.organization_id = @organization and s.id = datasets.id)
          and not exists (select 1 from lineage_edges as e where e.organization_id = @organization and e.upstream = datasets.id)
          and not exists (select 1 from lineage_edges as e where e.organization_id = @organization and e.downstream = datasets.id)
          and not exists (select 1 from run_datasets as u where u.organization_id = @organization and u.dataset = datasets.id)
          and not exists (select 1 from dataset_aliases as a where a.organization_id = @organization and a.dataset = datasets.id)
          and not exists (select 1 from check_results as r where r.organization_id = @organization and r.dataset_key = datasets.id)
        """;

    /// <summary>SQL that gives pipelines that only events report the description and owner of the replay.</summary>
    /// <inheritdoc cref="DeleteDatasets"/>
    public static string Describe(string shadow) => $"""
        -- Replay.Describe
        update pipelines
        set description = s.description, owner = s.owner, search_key = s.search_key
        from {shadow}.pipelines as s
        where pipelines.organization_id = @organization and pipelines.current_version = '{PipelineVersion.Reported}'
          and s.organization_id = @organization and s.id = pipelines.id
          and (s.description is distinct from pipelines.description or s.owner is distinct from pipelines.owner)
        """;
}
