using Catalog.Data.Database;

namespace Catalog.Data.Checks;

/// <summary>
/// Keeps the latest result of each check (<c>check_states</c>) and the gates of runs. The latest result is the result
/// with the latest execution time. When several results have this time, it is the worst of them: fail (severity error
/// before warn), error, warn, pass. Of equally bad results, it is the result with the greatest id. The transaction that
/// stores results also folds them into the states. The gate of a run is closed while the latest result of one of its
/// checks in the run is a failure of severity error. The final states and gates do not depend on the order in which
/// results arrive.
/// </summary>
internal static class CheckStateFold
{
    /// <summary>
    /// SQL for the rank of a result. It orders results with equal times: the worse result has the higher rank.
    /// </summary>
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

    // The upsert locks an existing row, even when it does not change the row. So a second writer of the same check
    // waits, and its next statement sees the results of the first writer. The gates need this.
    private const string UpsertStates = """
        insert into check_states (organization_id, pipeline_id, check_id, result_id, run_id, status, severity, rank, dataset,
            observed_number, executed_at)
        select @organization, stored.pipeline_id, stored.check_id, stored.id, stored.run_id, stored.status, stored.severity, stored.rank,
            stored.dataset, stored.observed_number, stored.executed_at
        from stored
        where stored.place = 1
        order by stored.pipeline_id, stored.check_id
        on conflict (organization_id, pipeline_id, check_id) do update
        set result_id = excluded.result_id, run_id = excluded.run_id, status = excluded.status, severity = excluded.severity,
            rank = excluded.rank, dataset = excluded.dataset, observed_number = excluded.observed_number,
            executed_at = excluded.executed_at
        where (excluded.executed_at, excluded.rank, excluded.result_id)
            > (check_states.executed_at, check_states.rank, check_states.result_id)
        """;

    private const string Columns = $"""
        results.run_id, results.pipeline_id, results.check_id, results.id, results.status, results.severity, results.executed_at,
        results.dataset, results.observed_number, {Rank} as rank
        """;

    private const string LatestFirst = $"order by results.executed_at desc, {Rank} desc, results.id desc";

    // This is used when each check has only one result in the batch. Then no ranking is needed, and a statement without
    // row_number() is planned faster.
    private const string LonePlace = "1 as place";

    private const string Place = $"row_number() over (partition by results.pipeline_id, results.check_id {LatestFirst}) as place";

    // Retention can delete the results of a run and keep the run. Then the gate of the run stays as it is.
    private const string RemovedFailure = """
        case when (
            select results.id from check_results as results
            where results.organization_id = @organization and results.run_id = runs.id and results.check_id = runs.gate_check_id
            limit 1) is null
        then runs.gate_check_id end
        """;

    private static readonly InputRows<RunOfResults> Runs = new(
        new Column<RunOfResults, string>("id", run => run.Id),
        new Column<RunOfResults, DateTimeOffset>("updated_at", run => run.UpdatedAt));

    private static readonly InputRows<CheckKey> Checks = new(
        new Column<CheckKey, string>("pipeline_id", check => check.PipelineId),
        new Column<CheckKey, string>("check_id", check => check.CheckId));

    /// <summary>
    /// The part of a statement that folds the results whose ids are in <c>inserted</c>, for an engine that inserts in
    /// common table expressions. It takes the results from <c>rows</c> and does not read them from the table, because
    /// for a new table the planner uses the statistics of an empty table.
    /// </summary>
    public static string FoldInserted(int results) => $"""
        stored as (
            select {Columns}, {(results == 1 ? LonePlace : Place)}
            from rows as results
            join inserted on inserted.id = results.id
        ), states as (
            {UpsertStates}
        )
        """;

    /// <summary>Folds stored results into the states of their checks.</summary>
    public static Statement Fold(string organization, IReadOnlyList<CheckResult> results)
    {
        // SQLite runs the statement once for each row, so results that cannot be the latest are left out beforehand.
        var checks = results.GroupBy(result => (result.PipelineId, result.CheckId)).ToList();
        var latest = checks.SelectMany(check => check.Max(Age) is var last ? check.Where(result => Age(result) == last) : []).ToList();
        return new Statement<CheckResult, NoResult>(organization, $"""
            -- CheckStateFold.Fold
            , stored as (
                select {Columns}, {(latest.Count == checks.Count ? LonePlace : Place)}
                from rows as results
            )
            {UpsertStates}
            """, CheckResultTable.Rows, latest);

        static (DateTimeOffset, int) Age(CheckResult result) => (result.ExecutedAt, RankOf(result));
    }

    /// <summary>
    /// Folds the states of checks again from all their results, after results were deleted. A check without results has
    /// no state.
    /// </summary>
    public static IEnumerable<Statement> FoldAgain(string organization, IReadOnlyList<CheckKey> checks)
    {
        const string Delete = """
            -- CheckStateFold.DeleteAgain
            delete from check_states
            where organization_id = @organization and (pipeline_id, check_id) in (select pipeline_id, check_id from rows)
            """;
        const string Insert = $"""
            -- CheckStateFold.FoldAgain
            , stored as (
                select {Columns}, {Place}
                from (select distinct pipeline_id, check_id from rows) as changed
                join check_results as results on results.organization_id = @organization and results.pipeline_id = changed.pipeline_id
                    and results.check_id = changed.check_id
            )
            {UpsertStates}
            """;

        return
        [
            new Statement<CheckKey, NoResult>(organization, Delete, Checks, checks),
            new Statement<CheckKey, NoResult>(organization, Insert, Checks, checks),
        ];
    }

    /// <summary>
    /// Reads which of the runs that results name have a closed gate. It must run after <see cref="Fold"/> in the same
    /// transaction. When another writer stores a failure of the same check at the same time, either this statement sees
    /// the closed gate, or the other writer sees the results of this transaction.
    /// </summary>
    public static Statement<RunOfResults, string> ReadClosedGates(string organization, IEnumerable<CheckResult> results)
    {
        const string Sql = """
            -- CheckStateFold.ReadClosedGates
            select rows.id
            from rows
            where (select runs.gate_check_id from runs where runs.organization_id = @organization and runs.id = rows.id) is not null
            """;

        return new(organization, Sql, Runs, RunsOf(results));
    }

    /// <summary>
    /// Updates closed gates from the latest results of the checks in their runs. It must run after <see cref="Fold"/>.
    /// The first statement locks the runs and waits for other writers, so that the last statement sees what those
    /// writers have committed. A run whose gate opens gets the status that its events report.
    /// </summary>
    public static IEnumerable<Statement> FoldGates(Dialect dialect, string organization, IEnumerable<CheckResult> results)
    {
        var closed = dialect.JoinByIndex("runs", "organization_id = @organization and gate_check_id is not null", "id", "rows.id");
        var lockClosed = $"""
            -- CheckStateFold.LockClosedGates
            select runs.id
            from rows
            {closed}
            order by rows.id
            {dialect.ForUpdate}
            """;
        // The previous release, which can still be running, stores the states of checks for each run. They would be out
        // of date after this change. Without them it reads the results.
        const string ForgetStates = """
            -- CheckStateFold.ForgetRunStates
            delete from run_check_states
            where organization_id = @organization and run_id in (select id from rows)
            """;
        // The runs exist and are locked, so this insert always becomes an update. It is an upsert because an upsert
        // finds each run by its key.
        var foldGates = $"""
            -- CheckStateFold.FoldGates
            insert into runs (organization_id, id, pipeline_id, status, gate_check_id, created_at, updated_at)
            select @organization, gates.id, gates.pipeline_id,
                case when gates.check_gate and gates.check_id is not null then 'failed' else coalesce(gates.reported_status, 'pending') end,
                gates.check_id, gates.created_at, gates.updated_at
            from (
                select runs.id, runs.pipeline_id, runs.check_gate, runs.reported_status, runs.gate_check_id, runs.created_at, rows.updated_at,
                    coalesce({FirstFailure(dialect, "runs.id", "runs.pipeline_id")}, {RemovedFailure}) as check_id
                from rows
                {closed}
            ) as gates
            where gates.gate_check_id is distinct from gates.check_id
            on conflict (organization_id, id) do update
            set gate_check_id = excluded.gate_check_id, status = excluded.status, updated_at = excluded.updated_at
            """;

        var runs = RunsOf(results);
        return
        [
            new Statement<RunOfResults, string>(organization, lockClosed, Runs, runs),
            new Statement<RunOfResults, NoResult>(organization, ForgetStates, Runs, runs),
            new Statement<RunOfResults, NoResult>(organization, foldGates, Runs, runs),
        ];
    }

    /// <summary>
    /// SQL for the check that closes the gate of a run: the check with the smallest id whose latest result in the run
    /// is a failure of severity error. It is null when there is no such check. The SQL reads all results of the run.
    /// </summary>
    /// <param name="dialect">The engine's SQL.</param>
    /// <param name="run">SQL for the id of the run.</param>
    /// <param name="pipeline">
    /// SQL for the pipeline of the run. Results that arrived before the run can name another pipeline; they are
    /// ignored.
    /// </param>
    public static string FirstFailure(Dialect dialect, string run, string pipeline) => $"""
        (select min(latest.check_id)
         from (
             select check_results.check_id, check_results.status, check_results.severity, row_number() over (
                 partition by check_results.check_id {LatestFirst.Replace("results.", "check_results.", StringComparison.Ordinal)}) as place
             from (select 1) as one
             {dialect.JoinByIndex("check_results", "organization_id = @organization", "run_id", run)}
             where check_results.pipeline_id = {pipeline}
         ) as latest
         where latest.place = 1 and latest.status = 'fail' and latest.severity = 'error')
        """;

    private static List<RunOfResults> RunsOf(IEnumerable<CheckResult> results) =>
    [
        .. results.Where(result => result.RunId is not null).GroupBy(result => result.RunId!, StringComparer.Ordinal)
            .Select(run => new RunOfResults(run.Key, run.Max(result => result.CreatedAt)))
            .OrderBy(run => run.Id, StringComparer.Ordinal),
    ];

    /// <summary>A run that results name, and the time when the last of these results was received.</summary>
    internal readonly record struct RunOfResults(string Id, DateTimeOffset UpdatedAt);

    /// <summary>A check of a pipeline.</summary>
    internal readonly record struct CheckKey(string PipelineId, string CheckId);
}
