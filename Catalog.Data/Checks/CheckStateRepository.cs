using Catalog.Data.Database;

namespace Catalog.Data.Checks;

/// <summary>Reads the latest result of each check. <see cref="CheckStateFold"/> writes it.</summary>
public sealed class CheckStateRepository(CatalogDatabase db)
{
    /// <summary>
    /// The maximum number of checks that are searched for a text. For <see cref="List"/> it is the number for each
    /// status; for <see cref="Count"/> it is the number in total.
    /// </summary>
    public const string MaxExamined = "20000";

    private const string ContainsText = @"where lower(check_id) like @pattern escape '\'";

    // The order of statuses in a list. A cursor contains the index of its status in this array.
    private static readonly string[] WorstFirst = [CheckStatus.Fail, CheckStatus.Error, CheckStatus.Warn, CheckStatus.Pass];

    /// <summary>Reads one page, in the order of status (fail, error, warn, pass), pipeline and check.</summary>
    public async Task<Page<CheckState>> List(string organization, CheckStateFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        var first = (int)Math.Min(after?.At.UtcTicks ?? 0, WorstFirst.Length - 1);
        var (pipeline, check) = Cursor.SplitPair(after?.Id ?? "");
        // If the query names the pipeline, SQLite does not use the index for a comparison of both columns. So only the
        // check is compared then.
        var beyond = pipeline == filter.PipelineId ? "and check_id > @check" : "and (pipeline_id, check_id) > (@pipeline, @check)";
        // The query reads one index range for each status, because a sort by status would read all states.
        string Part(int place) => $"""
            select * from (
                select {place} as place, pipeline_id, check_id, status, severity, dataset, result_id, run_id, executed_at
                from check_states
                where organization_id = @organization and status = '{WorstFirst[place]}' {Conditions(filter)}
                  {(after is null || place > first ? "" : beyond)}
                order by pipeline_id, check_id
                limit {(filter.Text is null ? "@Take" : MaxExamined)}) as part
            {(filter.Text is null ? "" : ContainsText)}
            """;
        var parts = Enumerable.Range(first, WorstFirst.Length - first)
            .Where(place => filter.Statuses is null || filter.Statuses.Contains(WorstFirst[place])).Select(Part).ToList();
        if (parts.Count == 0)
        {
            return new([], null);
        }

        // "materialized" makes Postgres read the page first. Without it, the planner expects too many rows for the join
        // and reads all results.
        var sql = $"""
            -- CheckStateFold.List
            with page as materialized (
                select * from ({string.Join("\nunion all\n", parts)}) as parts
                order by place, pipeline_id, check_id
                limit @Take
            )
            select page.pipeline_id, page.check_id, page.status, page.severity, page.dataset, results.observed_value, results.message,
                page.result_id, page.run_id, page.executed_at
            from page
            left join check_results as results on results.organization_id = @organization and results.id = page.result_id
            order by page.place, page.pipeline_id, page.check_id
            """;

        var rows = await db.Many<CheckState>(
            organization, sql, new
            {
                organization,
                filter.PipelineId,
                filter.Severity,
                pipeline,
                check,
                pattern = Pattern(filter.Text),
                Take = limit + 1,
            }, ct);
        return Page.Of(rows, limit, state => new Cursor(new(Array.IndexOf(WorstFirst, state.Status), TimeSpan.Zero),
            Cursor.Pair(state.PipelineId, state.CheckId)));
    }

    /// <summary>Counts the states that <see cref="List"/> lists.</summary>
    public async Task<RowCount> Count(string organization, CheckStateFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- CheckStateFold.Count
            select count(*)
            from (
                select check_id
                from check_states
                where organization_id = @organization and {db.Dialect.IsAnyOf("status", "@statuses")} {Conditions(filter)}
                limit {(filter.Text is null ? RowCount.Take : MaxExamined)}
            ) as counted
            {(filter.Text is null ? "" : ContainsText)}
            """;

        return RowCount.Of(await db.One<long>(organization, sql, new
        {
            organization,
            statuses = (filter.Statuses ?? WorstFirst).ToArray(),
            filter.PipelineId,
            filter.Severity,
            pattern = Pattern(filter.Text),
        }, ct));
    }

    /// <summary>Counts the checks by the status of their latest result.</summary>
    public async Task<CheckStateCounts> CountByStatus(string organization, CancellationToken ct)
    {
        // The "order by" makes the planner read the index, even for a status that most checks have.
        static string Part(string status) => $"""
            (select count(*) from (
                select 1 from check_states where organization_id = @organization and status = '{status}'
                order by pipeline_id, check_id limit {RowCount.Take}) as counted)
            """;
        var sql = $"""
            -- CheckStateFold.CountByStatus
            select {Part(CheckStatus.Pass)} as pass, {Part(CheckStatus.Warn)} as warn, {Part(CheckStatus.Fail)} as fail,
                {Part(CheckStatus.Error)} as error
            """;

        var counts = (await db.One<CheckStatusCounts>(organization, sql, new { organization }, ct))!;
        return new(RowCount.Of(counts.Fail), RowCount.Of(counts.Error), RowCount.Of(counts.Warn), RowCount.Of(counts.Pass));
    }

    // In the SQL, lower() of SQLite converts only ASCII letters. So on SQLite, the search does not find an id with
    // another upper-case letter, such as Ä.
    private static string? Pattern(string? text) => text is null ? null : SearchPattern.Contains(text.ToLowerInvariant());

    private static string Conditions(CheckStateFilter filter) => $"""
        {(filter.PipelineId is null ? "" : "and pipeline_id = @PipelineId")}
        {(filter.Severity is null ? "" : "and severity = @Severity")}
        """;
}
