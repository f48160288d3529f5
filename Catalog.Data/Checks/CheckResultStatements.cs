using Catalog.Data.Database;

namespace Catalog.Data.Checks;

/// <summary>The statements of <see cref="CheckResultStore"/>.</summary>
internal static class CheckResultStatements
{
    // Every writer locks ids in the same order, so that writers cannot deadlock. The pipeline of the run is read by a
    // subquery for each row, because the planner can turn a "not exists" into a join that reads all runs of the
    // organization.
    private const string InsertRows = $"""
        insert into check_results (organization_id, {CheckResultTable.StoredColumns})
        select @organization, {CheckResultTable.StoredColumns}
        from rows
        where (rows.pipeline_id = '' or (
                select 1 from pipelines
                where pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id and pipelines.deleted_at is null) = 1)
          and coalesce((
                select runs.pipeline_id from runs
                where runs.organization_id = @organization and runs.id = rows.run_id), rows.pipeline_id) = rows.pipeline_id
        order by rows.id
        on conflict (organization_id, id) do nothing
        returning id
        """;

    private static readonly InputRows<Unstored> UnstoredRows = new(
        new Column<Unstored, int>("place", unstored => unstored.Place),
        new Column<Unstored, string>("id", unstored => unstored.Result.Id),
        new Column<Unstored, string>("pipeline_id", unstored => unstored.Result.PipelineId),
        new Column<Unstored, string?>("run_id", unstored => unstored.Result.RunId));

    /// <summary>
    /// Inserts the results that can be inserted, and returns their ids. The given results must have different ids.
    /// </summary>
    public static Statement<CheckResult, string> Insert(string organization, IEnumerable<CheckResult> results) => new(organization, $"""
        -- Results.Insert
        {InsertRows}
        """, CheckResultTable.Rows, [.. results.OrderBy(result => result.Id, StringComparer.Ordinal)]);

    /// <summary>
    /// Like <see cref="Insert"/>, but also folds the inserted results into the states of their checks.
    /// </summary>
    public static Statement<CheckResult, string> InsertAndFold(string organization, List<CheckResult> results) => new(organization, $"""
        -- Results.InsertAndFold
        , inserted as (
            {InsertRows}
        ), {CheckStateFold.FoldInserted(results.Count)}
        select id from inserted
        """, CheckResultTable.Rows, [.. results.OrderBy(result => result.Id, StringComparer.Ordinal)]);

    /// <summary>Reads what prevents the insert of each result. Returns one explanation for each result.</summary>
    public static Statement<Unstored, Explanation> Explain(string organization, IEnumerable<CheckResult> results)
    {
        // The statement uses subqueries, because left joins from rows crash Citus 13.2.
        const string Sql = """
            -- Results.Explain
            select rows.place,
                (select results.request_hash from check_results as results
                 where results.organization_id = @organization and results.id = rows.id) as present,
                rows.pipeline_id = '' or (
                    select 1 from pipelines
                    where pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id
                      and pipelines.deleted_at is null) is not null as pipeline_known,
                (select runs.pipeline_id from runs where runs.organization_id = @organization and runs.id = rows.run_id) as run_owner
            from rows
            """;

        return new(organization, Sql, UnstoredRows, [.. results.Select((result, place) => new Unstored(place, result))]);
    }

    /// <summary>A result that was not inserted, and its index in the list of these results.</summary>
    internal readonly record struct Unstored(int Place, CheckResult Result);

    /// <summary>What prevented the insert of a result.</summary>
    internal sealed record Explanation
    {
        /// <summary>The index of the result in the statement.</summary>
        public required int Place { get; init; }

        /// <summary>The request hash of the stored result with the same id; null when no result has this id.</summary>
        public byte[]? Present { get; init; }

        public required bool PipelineKnown { get; init; }

        /// <summary>
        /// The pipeline of the result's run; null when the run is unknown or the result names no run.
        /// </summary>
        public string? RunOwner { get; init; }

        /// <summary>
        /// The outcome of the result; null when nothing prevents its insert any more. Only this method decides about a
        /// reused id or idempotency key: the same request is a duplicate, and a different request is rejected.
        /// </summary>
        public ResultOutcome? OutcomeOf(CheckResult result)
        {
            if (Present is not null)
            {
                return Present.AsSpan().SequenceEqual(result.RequestHash) ? ResultOutcome.Duplicate
                    : result.IdIsDerived ? ResultOutcome.KeyReused
                    : ResultOutcome.IdTaken;
            }

            return !PipelineKnown ? ResultOutcome.PipelineUnknown
                : RunOwner is not null && RunOwner != result.PipelineId ? ResultOutcome.RunIdTaken
                : null;
        }
    }
}
