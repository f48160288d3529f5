using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Data.Database;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Events;

/// <summary>
/// Stores the check definitions that events report. The event with the latest time decides which checks a pipeline has,
/// in any order of arrival. Definitions that come from a registered version or from the API are not changed.
/// </summary>
internal sealed class ReportedChecks(Session session, string organization, string pipeline, Func<DatasetName, DatasetName> resolve)
{
    /// <summary>
    /// The job facet that each event with definitions has. So the last time of this facet is the time of the latest
    /// event with definitions.
    /// </summary>
    public const string Facet = "checks";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Stores the definitions of one event. The facets of the event must be stored before, because they show which
    /// definitions are no longer reported.
    /// </summary>
    /// <param name="checks">All checks of the pipeline.</param>
    /// <param name="at">The time of the event.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task Store(IReadOnlyList<ReportedCheck> checks, DateTimeOffset at, CancellationToken ct)
    {
        var rows = new InputRows<ReportedCheck>(
            new Column<ReportedCheck, string>("pipeline_id", _ => pipeline),
            new Column<ReportedCheck, string>("id", check => check.Id),
            new Column<ReportedCheck, string>("version", _ => PipelineVersion.Reported),
            new Column<ReportedCheck, string?>("dataset", check => check.Dataset is { } dataset ? resolve(dataset).ShownId : null),
            new Column<ReportedCheck, string>("kind", check => check.Kind),
            new Column<ReportedCheck, string>("severity", check => check.Severity),
            new Column<ReportedCheck, string>("definition", Definition),
            new Column<ReportedCheck, DateTimeOffset>("reported_at", _ => at));
        const string Upsert = """
            -- ReportedChecks.Upsert
            insert into checks (organization_id, pipeline_id, id, pipeline_version, dataset, kind, severity, definition, created_at,
                updated_at)
            select @organization, rows.pipeline_id, rows.id, rows.version, rows.dataset, rows.kind, rows.severity, rows.definition,
                rows.reported_at, rows.reported_at
            from rows
            where true
            on conflict (organization_id, pipeline_id, id) do update
            set dataset = excluded.dataset, kind = excluded.kind, severity = excluded.severity, definition = excluded.definition,
                updated_at = excluded.updated_at
            where checks.pipeline_version = excluded.pipeline_version and (checks.updated_at < excluded.updated_at
                or (checks.updated_at = excluded.updated_at and checks.definition < excluded.definition))
            """;
        const string DeleteStale = $"""
            -- ReportedChecks.DeleteStale
            delete from checks
            where organization_id = @organization and pipeline_id = @pipeline and pipeline_version = '{PipelineVersion.Reported}'
              and updated_at < (
                select max(last_at)
                from facets
                where organization_id = @organization and subject = '{FacetSubject.Job}' and subject_id = @pipeline and facet = '{Facet}')
            """;

        await session.Run<ReportedCheck, int>(Upsert, rows, checks, ct);
        await session.Execute(DeleteStale, new { organization, pipeline }, ct);
    }

    // The definition has the same form as one that a client of the API sends. Its dataset is the reported name, not the
    // name under which the dataset is stored.
    private static string Definition(ReportedCheck check) => new JsonObject
    {
        ["id"] = check.Id,
        ["dataset"] = check.Dataset?.ShownId,
        ["kind"] = check.Kind,
        ["column"] = check.Column,
        ["params"] = check.Parameters is null ? null : JsonNode.Parse(check.Parameters),
        ["severity"] = check.Severity,
    }.ToJsonString(Plain);
}
