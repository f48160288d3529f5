using System.Data.Common;
using System.Text.Json;
using Catalog.Data.Database;
using Catalog.Data.Organizations;
using Catalog.Data.Schedules;

namespace Catalog.Data.Checks;

/// <summary>Stores and reads the definitions of checks.</summary>
public sealed class CheckRepository(CatalogDatabase db)
{
    /// <summary>The maximum number of results that <see cref="CountStatuses"/> counts.</summary>
    public const int MaxCounted = 10_000;

    private const string StateColumns = "states.status, states.executed_at, states.result_id, states.run_id, states.observed_number";

    /// <summary>
    /// Stores a definition, unless its pipeline is not registered or already has a check with this id.
    /// </summary>
    public Task<CheckOutcome> Insert(string organization, Check check, CancellationToken ct) => db.Write(organization, async session =>
    {
        const string Sql = """
            -- Checks.Insert
            insert into checks (organization_id, pipeline_id, id, dataset, connection_id, kind, severity, definition, created_at,
                updated_at)
            select @organization, @PipelineId, @Id, @Dataset, @ConnectionId, @Kind, @Severity, @Definition, @CreatedAt, @CreatedAt
            where @PipelineId = '' or exists (
                select 1 from pipelines
                where pipelines.organization_id = @organization and pipelines.id = @PipelineId and pipelines.deleted_at is null)
            on conflict (organization_id, pipeline_id, id) do nothing
            returning id
            """;
        const string Present = """
            -- Checks.Present
            select definition
            from checks
            where organization_id = @organization and pipeline_id = @PipelineId and id = @Id
            """;

        var parameters = new
        {
            organization,
            check.PipelineId,
            check.Id,
            check.Dataset,
            check.ConnectionId,
            check.Kind,
            check.Severity,
            check.Definition,
            check.CreatedAt,
        };
        // The number of affected rows is not used, because Citus also counts rows that were not inserted because of a
        // conflict. So a returned row shows that the check was inserted.
        if (await session.One<string>(Sql, parameters, ct) is not null)
        {
            await Schedule(session, organization, check, check.CreatedAt, ct);
            return CheckOutcome.Created;
        }

        return await session.One<string>(Present, new { organization, check.PipelineId, check.Id }, ct) is not { } present
            ? CheckOutcome.PipelineUnknown
            : Hash(present).AsSpan().SequenceEqual(Hash(check.Definition)) ? CheckOutcome.Unchanged
            : CheckOutcome.IdTaken;
    }, ct);

    /// <summary>
    /// Finds the definitions with an id. Returns at most two, which is enough to see that the id is ambiguous.
    /// </summary>
    /// <param name="organization">The organization.</param>
    /// <param name="id">The check's id.</param>
    /// <param name="pipelineId">The pipeline; empty for a standalone check; null for any pipeline.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<List<Check>> Find(string organization, string id, string? pipelineId, CancellationToken ct)
    {
        var sql = $"""
            -- Checks.Find
            select {Columns("checks")}, {StateColumns}
            from checks
            left join {StateOf("checks")}
            where checks.organization_id = @organization and checks.id = @id
              {(pipelineId is null ? "" : "and checks.pipeline_id = @pipelineId")}
            order by checks.pipeline_id
            limit 2
            """;

        return db.Many(organization, sql, new { organization, id, pipelineId }, Read, ct);
    }

    /// <summary>Reads one page, newest first.</summary>
    public async Task<Page<Check>> List(string organization, CheckFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        // "materialized" makes Postgres read the page first. Without it, the planner expects too many rows for the join
        // and reads all states.
        var sql = $"""
            -- Checks.List{(filter.Status is null ? "" : "ByStatus")}
            with page as materialized (
                select {Columns("checks")}
                from checks
                {(filter.Status is null ? "" : $"join {StateOf("checks")}")}
                where checks.organization_id = @organization
                  {Conditions(filter)}
                  {(after is null ? "" : "and (checks.created_at, checks.id, checks.pipeline_id) < (@At, @Id, @Pipeline)")}
                order by checks.created_at desc, checks.id desc, checks.pipeline_id desc
                limit @Take
            )
            select {Columns("page")}, {StateColumns}
            from page
            left join {StateOf("page")}
            order by page.created_at desc, page.id desc, page.pipeline_id desc
            """;

        var (id, pipeline) = Cursor.SplitPair(after?.Id ?? "");
        var rows = await db.Many(organization, sql, new
        {
            organization,
            filter.PipelineId,
            filter.Dataset,
            filter.Kind,
            filter.Severity,
            filter.Status,
            after?.At,
            Id = id,
            Pipeline = pipeline,
            Take = limit + 1,
        }, Read, ct);
        return Page.Of(rows, limit, check => new Cursor(check.CreatedAt, Cursor.Pair(check.Id, check.PipelineId)));
    }

    /// <summary>Counts the definitions that <see cref="List"/> lists.</summary>
    public async Task<RowCount> Count(string organization, CheckFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- Checks.Count
            select count(*)
            from (
                select 1
                from checks
                {(filter.Status is null ? "" : $"join {StateOf("checks")}")}
                where checks.organization_id = @organization
                  {Conditions(filter)}
                limit {RowCount.Take}
            ) as counted
            """;

        return RowCount.Of(await db.One<long>(organization, sql, new
        {
            organization,
            filter.PipelineId,
            filter.Dataset,
            filter.Kind,
            filter.Severity,
            filter.Status,
        }, ct));
    }

    private static string Conditions(CheckFilter filter) => $"""
        {(filter.PipelineId is null ? "" : "and checks.pipeline_id = @PipelineId")}
        {(filter.Dataset is null ? "" : "and checks.dataset = @Dataset")}
        {(filter.Kind is null ? "" : "and checks.kind = @Kind")}
        {(filter.Severity is null ? "" : "and checks.severity = @Severity")}
        {(filter.Status is null ? "" : "and states.status = @Status")}
        """;

    /// <summary>Replaces a definition and clears its pipeline version.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="check">The new definition.</param>
    /// <param name="asOf">Replace only when the last change has this time; null to replace always.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>False when the check does not exist or was changed after <paramref name="asOf"/>.</returns>
    public Task<bool> Replace(string organization, Check check, DateTimeOffset? asOf, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        var sql = $"""
            -- Checks.Replace
            update checks
            set pipeline_version = null, dataset = @Dataset, connection_id = @ConnectionId, kind = @Kind, severity = @Severity,
                definition = @Definition, updated_at = @UpdatedAt
            where organization_id = @organization and pipeline_id = @PipelineId and id = @Id
              {(asOf is null ? "" : "and updated_at = @asOf")}
            """;

        var replaced = await session.Execute(sql, new
        {
            organization,
            check.PipelineId,
            check.Id,
            check.Dataset,
            check.ConnectionId,
            check.Kind,
            check.Severity,
            check.Definition,
            check.UpdatedAt,
            asOf,
        }, ct) == 1;
        if (replaced)
        {
            await Schedule(session, organization, check, check.UpdatedAt, ct);
        }

        return replaced;
    }, ct);

    /// <summary>Deletes a definition and keeps its results. Null <paramref name="asOf"/> deletes always.</summary>
    /// <returns>False when the check does not exist or was changed after <paramref name="asOf"/>.</returns>
    public Task<bool> Delete(string organization, string pipelineId, string id, DateTimeOffset? asOf, AuditEntry entry,
        CancellationToken ct) => db.Write(organization, async session =>
    {
        var sql = $"""
            -- Checks.Delete
            delete from checks
            where organization_id = @organization and pipeline_id = @pipelineId and id = @id
              {(asOf is null ? "" : "and updated_at = @asOf")}
            """;

        if (await session.Execute(sql, new { organization, pipelineId, id, asOf }, ct) == 0)
        {
            return false;
        }

        await new CheckSchedules(db.Dialect, session, organization).DeleteStale([pipelineId], ct);
        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    /// <summary>
    /// Counts the newest <see cref="MaxCounted"/> results of a check by status. Only the pipeline, the check and the
    /// times of the filter are used.
    /// </summary>
    public async Task<CheckStatusCounts> CountStatuses(string organization, CheckResultFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- Checks.CountStatuses
            select count(case when status = 'pass' then 1 end) as pass, count(case when status = 'warn' then 1 end) as warn,
                   count(case when status = 'fail' then 1 end) as fail, count(case when status = 'error' then 1 end) as error
            from (
                select status
                from check_results
                where organization_id = @organization and pipeline_id = @PipelineId and check_id = @CheckId
                  {(filter.Since is null ? "" : "and executed_at >= @Since")}
                  {(filter.Until is null ? "" : "and executed_at < @Until")}
                order by executed_at desc, id desc
                limit @MaxCounted
            ) as newest
            """;

        return (await db.One<CheckStatusCounts>(
            organization, sql, new { organization, filter.PipelineId, filter.CheckId, filter.Since, filter.Until, MaxCounted }, ct))!;
    }

    private Task Schedule(Session session, string organization, Check check, DateTimeOffset now, CancellationToken ct) =>
        new CheckSchedules(db.Dialect, session, organization)
            .Store([new(check.PipelineId, check.Id, check.ConnectionId, check.Definition)], now, ct);

    private static string Columns(string checks) => $"""
        {checks}.id, {checks}.pipeline_id, {checks}.pipeline_version, {checks}.dataset, {checks}.connection_id, {checks}.kind,
        {checks}.severity, {checks}.definition, {checks}.created_at, {checks}.updated_at
        """;

    // The text after the word join in a join with the state of each check. A check without results has no state.
    private static string StateOf(string checks) => $"""
        check_states as states on states.organization_id = @organization and states.pipeline_id = {checks}.pipeline_id
            and states.check_id = {checks}.id
        """;

    // Reads a row of Columns and StateColumns.
    private static Check Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        PipelineId = row.GetString(1),
        PipelineVersion = row.TextOrNull(2),
        Dataset = row.TextOrNull(3),
        ConnectionId = row.TextOrNull(4),
        Kind = row.TextOrNull(5),
        Severity = row.GetString(6),
        Definition = row.GetString(7),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(8),
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(9),
        LastResult = row.IsDBNull(10) ? null : new()
        {
            Status = row.GetString(10),
            ExecutedAt = row.GetFieldValue<DateTimeOffset>(11),
            ResultId = row.GetString(12),
            RunId = row.TextOrNull(13),
            ObservedNumber = row.NumberOrNull(14),
        },
    };

    private static byte[] Hash(string definition)
    {
        using var json = JsonDocument.Parse(definition);
        return CanonicalJson.Hash(json.RootElement);
    }
}
