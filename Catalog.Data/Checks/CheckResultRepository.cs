using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Checks;

/// <summary>Reads check results. <see cref="ResultIngest"/> writes them.</summary>
public sealed class CheckResultRepository(CatalogDatabase db)
{
    // The default limit is a literal in the SQL. With a parameter as the limit, the planner assumes that the query
    // returns 10 % of the rows, and makes a new plan for each page. This takes longer than the read itself.
    private const int DefaultLimit = 50;
    private const string DefaultTake = "51";
    private const string LatestFirst = "order by executed_at desc, id desc";

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
        var take = limit == DefaultLimit ? DefaultTake : "@Take";
        // Subqueries hide the values of the cursor from the planner. If the planner sees a value near the newest
        // results, it expects a plan for exactly this value to be cheaper, and makes a new plan for each page.
        var conditions = $"""
            organization_id = @organization
              {Conditions(filter)}
              {(after is null ? "" : "and (executed_at, id) < ((select @At), (select @Id))")}
            """;
        var sql = SpansChecks(filter) ? Merged(conditions, $"{ChecksOf(filter)} {Recent(filter, after, take)}", take) : $"""
            -- CheckResults.List{(filter.RunId is null ? "" : "OfRunId")}
            select {CheckResultTable.Columns}
            from check_results
            where {conditions}
            {LatestFirst}
            limit {take}
            """;

        var rows = await db.Many(organization, sql, Parameters(organization, filter, after, limit + 1), CheckResultTable.Read, ct);
        return Page.Of(rows, limit, result => new Cursor(result.ExecutedAt, result.Id));
    }

    // There is an index by pipeline and check together, but no index by the pipeline alone or by the check alone,
    // because each index slows down every insert. So the statement first selects the checks with the newest matching
    // results, as many as it needs rows: no other check can have a result on the page. Then it merges the results of
    // these checks.
    private string Merged(string conditions, string checks, string take)
    {
        string Newest(string check, string count) => db.Dialect.JoinFirst("check_results",
            $"{conditions} and pipeline_id = {check}.pipeline_id and check_id = {check}.check_id", "executed_at desc, id desc", count);
        return $"""
            -- CheckResults.ListOfChecks
            with newest as (
                select check_results.pipeline_id, check_results.check_id
                from check_states
                {Newest("check_states", "1")}
                where {checks}
                order by check_results.executed_at desc, check_results.id desc
                limit {take}
            ), page as (
                select check_results.id as result_id, check_results.executed_at as at
                from newest
                {Newest("newest", take)}
                order by check_results.executed_at desc, check_results.id desc
                limit {take}
            )
            select {CheckResultTable.Columns}
            from page
            {db.Dialect.JoinByIndex("check_results", "organization_id = @organization", "id", "page.result_id")}
            order by page.at desc, page.result_id desc
            """;
    }

    // A condition on the time of the latest result of each check, which is known without reading results. For a first
    // page it leaves out the checks that cannot be on the page. Otherwise it leaves out the checks without a result
    // after the start time of the filter.
    private static string Recent(CheckResultFilter filter, Cursor? after, string take) =>
        after is null && filter is { Status: null, Severity: null, Until: null } ? $"""
            and check_states.executed_at >= coalesce((
                select check_states.executed_at
                from check_states
                where {ChecksOf(filter)}
                order by check_states.executed_at desc
                limit 1 offset {take} - 1), check_states.executed_at)
            """
        : filter.Since is null ? "" : "and check_states.executed_at >= @Since";

    // Whether the filter selects results of several checks, and only the index by pipeline and check gives their order.
    private static bool SpansChecks(CheckResultFilter filter) =>
        (filter.PipelineId is null) != (filter.CheckId is null) && filter.RunId is null && filter.Dataset is null;

    private static string ChecksOf(CheckResultFilter filter) => $"""
        check_states.organization_id = @organization
          and check_states.{(filter.CheckId is null ? "pipeline_id = @PipelineId" : "check_id = @CheckId")}
        """;

    /// <summary>Reads the numbers of the newest results, latest execution first, without their texts.</summary>
    public Task<List<ResultPoint>> Points(string organization, CheckResultFilter filter, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- CheckResults.Points
            select id, executed_at, status, observed_number
            from check_results
            where organization_id = @organization
              {Conditions(filter)}
            {LatestFirst}
            limit @Take
            """;

        return db.Many<ResultPoint>(organization, sql, Parameters(organization, filter, null, limit), ct);
    }

    /// <summary>Counts the results that <see cref="List"/> lists.</summary>
    public async Task<RowCount> Count(string organization, CheckResultFilter filter, CancellationToken ct)
    {
        var conditions = $"organization_id = @organization {Conditions(filter)}";
        var counted = !SpansChecks(filter) ? $"from check_results where {conditions}" : $"""
            from check_states
            {db.Dialect.JoinFirst("check_results",
                $"{conditions} and pipeline_id = check_states.pipeline_id and check_id = check_states.check_id",
                "executed_at desc, id desc", $"{RowCount.Take}")}
            where {ChecksOf(filter)}
            """;
        var sql = $"""
            -- CheckResults.Count
            select count(*)
            from (
                select 1
                {counted}
                limit {RowCount.Take}
            ) as counted
            """;

        return RowCount.Of(await db.One<long>(organization, sql, Parameters(organization, filter, null, 0), ct));
    }

    /// <summary>
    /// Reads one page of a run's results, the worst first (fail of severity error, fail, error, warn, pass), then the
    /// latest execution first. The query reads all index entries of the run, but only the results of the page.
    /// </summary>
    /// <returns>The page, or null when the run does not exist.</returns>
    public Task<Page<CheckResult>?> OfRun(string organization, string runId, Cursor? after, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            const string RunExists = """
                -- CheckResults.RunExists
                select 1
                from runs
                where organization_id = @organization and id = @runId
                """;
            var sql = $"""
                -- CheckResults.OfRun
                with page as materialized (
                    select id as result_id, place, executed_at as at
                    from (
                        select results.id, results.executed_at, {CheckStateFold.Rank} as place
                        from check_results as results
                        where results.organization_id = @organization and results.run_id = @runId) as ranked
                    {(after is null ? "" : "where (place, executed_at, id) < (@place, @At, @id)")}
                    order by place desc, executed_at desc, id desc
                    limit @Take
                )
                select {CheckResultTable.Columns}
                from page
                join check_results on organization_id = @organization and id = page.result_id
                order by page.place desc, page.at desc, page.result_id desc
                """;

            if (await session.One<int?>(RunExists, new { organization, runId }, ct) is null)
            {
                return null;
            }

            var (place, id) = Cursor.SplitPair(after?.Id ?? "");
            var rows = new List<CheckResult>();
            await session.Each(sql, new
            {
                organization,
                runId,
                place = int.TryParse(place, out var known) ? known : 0,
                after?.At,
                id,
                Take = limit + 1,
            }, row => rows.Add(CheckResultTable.Read(row)), ct);
            return Page.Of(
                rows, limit, result => new Cursor(result.ExecutedAt, Cursor.Pair($"{CheckStateFold.RankOf(result)}", result.Id)));
        }, ct);

    /// <summary>Counts the newest results between two times by status. At most 2,000 results are counted.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="since">Only results that were executed at this time or later.</param>
    /// <param name="until">Only results that were executed before this time.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task<CheckStatusCounts> CountNewest(string organization, DateTimeOffset since, DateTimeOffset until, CancellationToken ct)
    {
        const string Sql = """
            -- CheckResults.CountNewest
            select count(case when status = 'pass' then 1 end) as pass, count(case when status = 'warn' then 1 end) as warn,
                   count(case when status = 'fail' then 1 end) as fail, count(case when status = 'error' then 1 end) as error
            from (
                select status
                from check_results
                where organization_id = @organization and executed_at >= @since and executed_at < @until
                order by executed_at desc, id desc
                limit 2000
            ) as newest
            """;

        return (await db.One<CheckStatusCounts>(organization, Sql, new { organization, since, until }, ct))!;
    }

    /// <summary>Finds the checks of the given pipelines whose latest result is a failure.</summary>
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

    // One of the indexes by check contains only results that did not pass. The planner cannot see from the parameter
    // @Status that it can use this index, so the SQL also contains the condition as a constant.
    private string Conditions(CheckResultFilter filter) => $"""
        {(filter.PipelineId is null ? "" : $"and {db.Dialect.Selective("pipeline_id = @PipelineId")}")}
        {(filter.CheckId is null ? "" : $"and {db.Dialect.Selective("check_id = @CheckId")}")}
        {(filter.RunId is null ? "" : "and run_id = @RunId")}
        {(filter.Dataset is null ? "" : "and dataset_key = @DatasetKey")}
        {(filter.Status is null ? "" : "and status = @Status")}
        {(filter.Status is null or CheckStatus.Pass || (filter.PipelineId ?? filter.CheckId) is null ? "" : "and status <> 'pass'")}
        {(filter.Severity is null ? "" : "and severity = @Severity")}
        {(filter.Since is null ? "" : "and executed_at >= @Since")}
        {(filter.Until is null ? "" : "and executed_at < @Until")}
        """;

    private static object Parameters(string organization, CheckResultFilter filter, Cursor? after, int take) => new
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
        Take = take,
    };
}
