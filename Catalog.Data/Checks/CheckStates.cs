using Catalog.Data.Database;

namespace Catalog.Data.Checks;

/// <summary>
/// Keeps the latest result of each check (<c>check_states</c>) and of each check within a run
/// (<c>run_check_states</c>). The latest result is the one executed last; at equal times the worse one: fail (severity
/// error before warn), error, warn, pass; then the one with the greater id. Only stored results
/// are folded, in the transaction that stores them. For any order of results the states end equal.
/// </summary>
internal static class CheckStates
{
    /// <summary>The order of results with equal times: the worse has the higher rank.</summary>
    internal const string Rank = """
        case when results.status = 'fail' and results.severity = 'error' then 4 when results.status = 'fail' then 3
             when results.status = 'error' then 2 when results.status = 'warn' then 1 else 0 end
        """;

    /// <summary>The <see cref="Rank"/> of a result.</summary>
    internal static int RankOf(CheckResult result) => result.Status switch
    {
        CheckStatus.Fail => result.Severity == CheckSeverity.Error ? 4 : 3,
        CheckStatus.Error => 2,
        CheckStatus.Warn => 1,
        _ => 0,
    };

    /// <summary>
    /// Stores the rows of <c>stored</c> that have <c>run_place</c> 1, except those that are not later than the present
    /// state.
    /// </summary>
    private const string UpsertRunStates = """
        insert into run_check_states (organization_id, run_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
        select @organization, stored.run_id, stored.pipeline_id, stored.check_id, stored.id, stored.status, stored.severity, stored.rank,
            stored.executed_at
        from stored
        where stored.run_place = 1 and stored.run_id is not null
        order by stored.run_id, stored.pipeline_id, stored.check_id
        on conflict (organization_id, run_id, pipeline_id, check_id) do update
        set result_id = excluded.result_id, status = excluded.status, severity = excluded.severity, rank = excluded.rank,
            executed_at = excluded.executed_at
        where (excluded.executed_at, excluded.rank, excluded.result_id)
            > (run_check_states.executed_at, run_check_states.rank, run_check_states.result_id)
        """;

    /// <summary>As <see cref="UpsertRunStates"/>, for the states of checks and <c>check_place</c>.</summary>
    private const string UpsertStates = """
        insert into check_states (organization_id, pipeline_id, check_id, result_id, run_id, status, severity, rank, dataset,
            observed_number, executed_at)
        select @organization, stored.pipeline_id, stored.check_id, stored.id, stored.run_id, stored.status, stored.severity, stored.rank,
            stored.dataset, stored.observed_number, stored.executed_at
        from stored
        where stored.check_place = 1
        order by stored.pipeline_id, stored.check_id
        on conflict (organization_id, pipeline_id, check_id) do update
        set result_id = excluded.result_id, run_id = excluded.run_id, status = excluded.status, severity = excluded.severity,
            rank = excluded.rank, dataset = excluded.dataset, observed_number = excluded.observed_number,
            executed_at = excluded.executed_at
        where (excluded.executed_at, excluded.rank, excluded.result_id)
            > (check_states.executed_at, check_states.rank, check_states.result_id)
        """;

    private const string RunColumns = $"""
        results.run_id, results.pipeline_id, results.check_id, results.id, results.status, results.severity, results.executed_at,
        {Rank} as rank
        """;

    private const string LatestFirst = $"order by results.executed_at desc, {Rank} desc, results.id desc";

    private const string PlaceInRun =
        $"row_number() over (partition by results.run_id, results.pipeline_id, results.check_id {LatestFirst}) as run_place";

    // A lone result, the most frequent batch, needs no comparison with others of its batch. Without one its plan takes
    // less time.
    private const string LonePlaces = "1 as check_place, 1 as run_place";

    private const string Places =
        $"row_number() over (partition by results.pipeline_id, results.check_id {LatestFirst}) as check_place, {PlaceInRun}";

    private static readonly Rows<RunOfResults> Runs = new(
        new Column<RunOfResults, string>("id", run => run.Id),
        new Column<RunOfResults, DateTimeOffset>("updated_at", run => run.UpdatedAt));

    /// <summary>
    /// The part of a statement that folds the results whose ids are in <c>inserted</c>, for an engine that inserts in
    /// common table expressions. The statement stores them itself: a lookup of what it stored would be planned by the
    /// statistics of the table, which for a new one are those of an empty table.
    /// </summary>
    public static string FoldInserted(int results) => $"""
        stored as (
            select {RunColumns}, results.dataset, results.observed_number, {(results == 1 ? LonePlaces : Places)}
            from rows as results
            join inserted on inserted.id = results.id
        ), run_states as (
            {UpsertRunStates}
            returning 1
        ), states as (
            {UpsertStates}
        )
        """;

    /// <summary>Folds stored results into the states of their checks.</summary>
    public static Statement Fold(string organization, IReadOnlyList<CheckResult> results) =>
        new Statement<CheckResult, NoResult>(organization, $"""
            -- CheckStates.Fold
            {Stored(results)}
            {UpsertStates}
            """, CheckResultTable.Rows, results);

    /// <summary>Folds stored results into the states of their checks within their runs.</summary>
    public static Statement FoldRuns(string organization, IReadOnlyList<CheckResult> results)
    {
        List<CheckResult> ofRuns = [.. results.Where(result => result.RunId is not null)];
        return new Statement<CheckResult, NoResult>(organization, $"""
            -- CheckStates.FoldRuns
            {Stored(ofRuns)}
            {UpsertRunStates}
            """, CheckResultTable.Rows, ofRuns);
    }

    private static string Stored(IReadOnlyList<CheckResult> results) => $"""
        , stored as (
            select {RunColumns}, results.dataset, results.observed_number, {(results.Count == 1 ? LonePlaces : Places)}
            from rows as results
        )
        """;

    /// <summary>
    /// Reads which runs of results have a closed gate, after <see cref="FoldRuns"/> in the same transaction. A failure
    /// that another writer stores for the same check is either seen here, or its writer sees the states of this one.
    /// </summary>
    public static Statement<RunOfResults, string> ReadClosedGates(string organization, IEnumerable<CheckResult> results)
    {
        const string Sql = """
            -- CheckStates.ReadClosedGates
            select rows.id
            from rows
            where (select runs.gate_check_id from runs where runs.organization_id = @organization and runs.id = rows.id) is not null
            """;

        return new(organization, Sql, Runs, RunsOf(results));
    }

    /// <summary>
    /// Makes closed gates follow the states of the runs' checks, after <see cref="FoldRuns"/> in the same transaction.
    /// Each statement sees what other writers committed while the statement before waited for them, so the run is
    /// locked in a statement of its own. A run whose gate lifts has the status that its events report.
    /// </summary>
    public static IEnumerable<Statement> FoldGates(Dialect dialect, string organization, IEnumerable<CheckResult> results)
    {
        var lockClosed = $"""
            -- CheckStates.LockClosedGates
            select runs.id
            from rows
            join runs on runs.organization_id = @organization and runs.id = rows.id
            where runs.gate_check_id is not null
            order by rows.id
            {dialect.ForUpdate}
            """;
        // Results that the previous release stored have no states. So before a gate is lifted, all results of its run are read.
        const string Complete = $"""
            -- CheckStates.CompleteRuns
            , stored as (
                select {RunColumns}, {PlaceInRun}
                from rows
                join runs on runs.organization_id = @organization and runs.id = rows.id
                join check_results as results on results.organization_id = @organization and results.run_id = runs.id
                    and results.pipeline_id = runs.pipeline_id
                where runs.gate_check_id is not null and not exists (
                    select 1 from run_check_states as states
                    where states.organization_id = @organization and states.run_id = rows.id and states.pipeline_id = runs.pipeline_id
                      and states.status = 'fail' and states.severity = 'error')
            )
            {UpsertRunStates}
            """;
        const string FoldGates = """
            -- CheckStates.FoldGates
            update runs
            set gate_check_id = gates.check_id,
                status = case when runs.check_gate and gates.check_id is not null then 'failed'
                    else coalesce(runs.reported_status, 'pending') end,
                updated_at = gates.updated_at
            from (
                select runs.id, rows.updated_at, (
                    select min(states.check_id)
                    from run_check_states as states
                    where states.organization_id = @organization and states.run_id = runs.id and states.pipeline_id = runs.pipeline_id
                      and states.status = 'fail' and states.severity = 'error') as check_id
                from rows
                join runs on runs.organization_id = @organization and runs.id = rows.id
                where runs.gate_check_id is not null
            ) as gates
            where runs.organization_id = @organization and runs.id = gates.id and runs.gate_check_id is distinct from gates.check_id
            """;

        var runs = RunsOf(results);
        return
        [
            new Statement<RunOfResults, string>(organization, lockClosed, Runs, runs),
            new Statement<RunOfResults, NoResult>(organization, Complete, Runs, runs),
            new Statement<RunOfResults, NoResult>(organization, FoldGates, Runs, runs),
        ];
    }

    private static List<RunOfResults> RunsOf(IEnumerable<CheckResult> results) =>
    [
        .. results.Where(result => result.RunId is not null).GroupBy(result => result.RunId!, StringComparer.Ordinal)
            .Select(run => new RunOfResults(run.Key, run.Max(result => result.CreatedAt)))
            .OrderBy(run => run.Id, StringComparer.Ordinal),
    ];

    /// <summary>A run that results name, with the time when the last of them was received.</summary>
    internal readonly record struct RunOfResults(string Id, DateTimeOffset UpdatedAt);
}
