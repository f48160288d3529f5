using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Checks;

/// <summary>Reads check results. <see cref="ResultIngest"/> writes them.</summary>
public sealed class CheckResultRepository(CatalogDatabase db)
{
    // The default limit is a literal in the SQL. With a parameterised LIMIT the planner assumes 10 % of the rows and
    // makes a new plan for each page, which takes longer than the read itself.
    private const int DefaultLimit = 50;
    private const string DefaultTake = "51";

    /// <returns>The result, or null when no result has this id.</returns>
    public Task<CheckResult?> Find(string organization, string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- CheckResults.Find
            select {CheckResultTable.Columns}
            from check_results
            where organization_id = @organization and id = @id
            """;

        return db.One(organization, Sql, new { organization, id }, CheckResultTable.Read, ct);
    }

    /// <summary>Reads one page, latest execution first.</summary>
    public async Task<Page<CheckResult>> List(string organization, CheckResultFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        // The cursor is a subquery, which hides its value from the planner. With a visible value near the newest end
        // the planner expects a custom plan to be cheaper and plans each page again.
        var sql = $"""
            -- CheckResults.List
            select {CheckResultTable.Columns}
            from check_results
            where organization_id = @organization
              {(filter.PipelineId is null ? "" : "and pipeline_id = @PipelineId")}
              {(filter.CheckId is null ? "" : "and check_id = @CheckId")}
              {(filter.RunId is null ? "" : "and run_id = @RunId")}
              {(filter.Dataset is null ? "" : "and dataset_key = @DatasetKey")}
              {(filter.Status is null ? "" : "and status = @Status")}
              {(filter.Severity is null ? "" : "and severity = @Severity")}
              {(filter.Since is null ? "" : "and executed_at >= @Since")}
              {(filter.Until is null ? "" : "and executed_at < @Until")}
              {(after is null ? "" : "and (executed_at, id) < ((select @At), (select @Id))")}
            order by executed_at desc, id desc
            limit {(limit == DefaultLimit ? DefaultTake : "@Take")}
            """;

        var rows = await db.Many(organization, sql, new
        {
            organization,
            filter.PipelineId,
            filter.CheckId,
            filter.RunId,
            filter.Status,
            filter.Severity,
            DatasetKey = filter.Dataset is { } dataset ? DatasetId.Of(dataset) : (Guid?)null,
            filter.Since,
            filter.Until,
            after?.At,
            after?.Id,
            Take = limit + 1,
        }, CheckResultTable.Read, ct);
        return Page.Of(rows, limit, result => new Cursor(result.ExecutedAt, result.Id));
    }

    /// <summary>The checks of pipelines whose latest result is a failure.</summary>
    public Task<List<OpenFailure>> OpenFailures(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- CheckResults.OpenFailures
            select check_states.pipeline_id, check_states.check_id, check_states.result_id, check_states.severity, check_states.dataset,
                results.message, check_states.executed_at
            from {db.Dialect.ByIndex("check_states", "organization_id = @organization and status = 'fail'", "pipeline_id", "@ids")}
            left join check_results as results on results.organization_id = @organization and results.id = check_states.result_id
            order by check_states.pipeline_id, check_states.check_id
            """;

        return db.Many<OpenFailure>(organization, sql, new { organization, ids = pipelines.ToArray() }, ct);
    }
}
