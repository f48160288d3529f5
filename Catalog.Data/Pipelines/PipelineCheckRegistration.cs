using Catalog.Data.Database;
using Catalog.Data.Schedules;

namespace Catalog.Data.Pipelines;

/// <summary>Replaces the checks of pipelines, inside the transaction of their registration.</summary>
internal sealed class PipelineCheckRegistration(Dialect dialect, Session session, string organization)
{
    private static readonly InputRows<Row> Rows = new(
        new Column<Row, string>("pipeline_id", row => row.Pipeline.Id),
        new Column<Row, string>("id", row => row.Check.Id),
        new Column<Row, string>("pipeline_version", row => row.Pipeline.Version),
        new Column<Row, string?>("dataset", row => row.Check.Dataset),
        new Column<Row, string?>("connection_id", row => row.Check.ConnectionId),
        new Column<Row, string?>("kind", row => row.Check.Kind),
        new Column<Row, string>("severity", row => row.Check.Severity),
        new Column<Row, string>("definition", row => row.Check.Definition),
        new Column<Row, DateTimeOffset>("now", row => row.Now));

    private sealed record Row(NewPipeline Pipeline, NewCheck Check, DateTimeOffset Now);

    /// <summary>
    /// Stores the checks of each new current version, and deletes checks that only earlier versions of the pipeline
    /// define. Checks that events define remain until a later event deletes them.
    /// </summary>
    public async Task Replace(List<NewPipeline> pipelines, DateTimeOffset now, CancellationToken ct)
    {
        const string Upsert = """
            -- PipelineCheckRegistration.Upsert
            insert into checks (organization_id, pipeline_id, id, pipeline_version, dataset, connection_id, kind, severity, definition,
                created_at, updated_at)
            select @organization, rows.pipeline_id, rows.id, rows.pipeline_version, rows.dataset, rows.connection_id, rows.kind,
                rows.severity,
                   rows.definition, rows.now, rows.now
            from rows
            where true
            on conflict (organization_id, pipeline_id, id) do update
            set pipeline_version = excluded.pipeline_version, dataset = excluded.dataset, connection_id = excluded.connection_id,
                kind = excluded.kind, severity = excluded.severity, definition = excluded.definition, updated_at = excluded.updated_at
            """;
        var drop = $"""
            -- PipelineCheckRegistration.DropStale
            delete from checks
            where organization_id = @organization and {dialect.IsAnyOf("pipeline_id", "@ids")} and pipeline_version is not null
              and pipeline_version <> '{PipelineVersion.Reported}' and not exists (
                    select 1 from pipelines
                    where pipelines.organization_id = @organization and pipelines.id = checks.pipeline_id
                      and pipelines.current_version = checks.pipeline_version)
            """;

        if (pipelines.Count == 0)
        {
            return;
        }

        var rows = pipelines.SelectMany(pipeline => pipeline.Checks.OrderBy(check => check.Id, StringComparer.Ordinal)
            .Select(check => new Row(pipeline, check, now))).ToList();
        await session.Run<Row, int>(Upsert, Rows, rows, ct);
        string[] ids = [.. pipelines.Select(pipeline => pipeline.Id)];
        await session.Execute(drop, new { organization, ids }, ct);
        var schedules = new CheckSchedules(dialect, session, organization);
        await schedules.Store([.. rows.Select(row => new ScheduledCheck(row.Pipeline.Id, row.Check.Id, row.Check.ConnectionId,
            row.Check.Definition))], now, ct);
        await schedules.DeleteStale(ids, ct);
    }
}
