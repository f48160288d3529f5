using Catalog.Data.Database;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Checks;

/// <summary>Stores and reads check results.</summary>
public sealed class CheckResultRepository(CatalogDatabase db)
{
    private const string Columns = """
        id, pipeline_id, check_id, run_id, status, severity, dataset, observed_value, observed_number, expected, failed_rows, total_rows,
        message, executed_at, duration_seconds, metadata, request_hash, created_at
        """;

    private const string InsertColumns = $"{Columns}, dataset_key";

    /// <summary>Stores results and closes the gate of the runs that a failure of severity error names, all in one transaction.</summary>
    /// <returns>For each result, in the order given, what became of it.</returns>
    public Task<ResultOutcome[]> Record(string organization, IReadOnlyList<CheckResult> results, CancellationToken ct) =>
        Record(organization, results, new HashSet<string>(), ct);

    /// <summary>As the other, for results some of whose ids come from an idempotency key: when one of these is taken, nothing at all is stored.</summary>
    public Task<ResultOutcome[]> Record(string organization, IReadOnlyList<CheckResult> results, IReadOnlySet<string> keyed, CancellationToken ct) =>
        db.Write(organization, async session =>
        {
            var outcomes = new ResultOutcome?[results.Count];
            // Once is enough but for two cases: the first of two results with one id was refused, so that the second is now the first;
            // or a pipeline came back between two statements.
            for (var attempt = 0; attempt < 5 && outcomes.Any(outcome => outcome is null); attempt++)
            {
                await Record(session, organization, results, outcomes, ct);
            }

            if (outcomes.Index().Any(outcome => outcome.Item == ResultOutcome.IdTaken && keyed.Contains(results[outcome.Index].Id)))
            {
                session.Undo();
            }

            return outcomes.Select(outcome => outcome ?? ResultOutcome.PipelineUnknown).ToArray();
        }, ct);

    /// <returns>The result, or null when there is none of that id.</returns>
    public Task<CheckResult?> Find(string organization, string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- CheckResults.Find
            select {Columns}
            from check_results
            where organization_id = @organization and id = @id
            """;

        return db.One<CheckResult>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>One page, the last executed first.</summary>
    public async Task<Page<CheckResult>> List(string organization, CheckResultFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- CheckResults.List
            select {Columns}
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
              {(after is null ? "" : "and (executed_at, id) < (@At, @Id)")}
            order by executed_at desc, id desc
            limit @Take
            """;

        var rows = await db.Many<CheckResult>(organization, sql, new
        {
            organization,
            filter.PipelineId,
            filter.CheckId,
            filter.RunId,
            filter.Status,
            filter.Severity,
            DatasetKey = filter.Dataset is { } dataset ? DatasetId.Of("", dataset) : (Guid?)null,
            filter.Since,
            filter.Until,
            after?.At,
            after?.Id,
            Take = limit + 1,
        }, ct);
        return Page.Of(rows, limit, result => new Cursor(result.ExecutedAt, result.Id));
    }

    /// <summary>The checks of pipelines whose last result was a failure, with that result.</summary>
    public Task<List<OpenFailure>> OpenFailures(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        // Steps from one check that ever failed to the next by index; a distinct would read every failure there ever was.
        var sql = $"""
            -- CheckResults.OpenFailures
            with recursive failed (pipeline_id, check_id) as (
                select pipelines.id, (select min(check_id) from check_results
                                      where organization_id = @organization and pipeline_id = pipelines.id and status = 'fail')
                from {db.Dialect.ByIndex("pipelines", "organization_id = @organization", "id", "@ids")}
                union all
                select failed.pipeline_id, (select min(check_id) from check_results
                                            where organization_id = @organization and pipeline_id = failed.pipeline_id and status = 'fail'
                                              and check_id > failed.check_id)
                from failed
                where failed.check_id is not null
            ), last (id) as (
                select (select id from check_results
                        where organization_id = @organization and pipeline_id = failed.pipeline_id and check_id = failed.check_id
                        order by executed_at desc, id desc
                        limit 1)
                from failed
                where failed.check_id is not null
            )
            select results.pipeline_id, results.check_id, results.id as result_id, results.severity, results.dataset, results.message, results.executed_at
            from check_results as results
            join last on last.id = results.id
            where results.organization_id = @organization and results.status = 'fail'
            order by results.pipeline_id, results.check_id
            """;

        return db.Many<OpenFailure>(organization, sql, new { organization, ids = pipelines.ToArray() }, ct);
    }

    private static readonly Rows<CheckResult> Rows = new(
        new Column<CheckResult, string>("id", result => result.Id),
        new Column<CheckResult, string>("pipeline_id", result => result.PipelineId),
        new Column<CheckResult, string>("check_id", result => result.CheckId),
        new Column<CheckResult, string?>("run_id", result => result.RunId),
        new Column<CheckResult, string>("status", result => result.Status),
        new Column<CheckResult, string>("severity", result => result.Severity),
        new Column<CheckResult, string?>("dataset", result => result.Dataset),
        new Column<CheckResult, Guid?>("dataset_key", result => result.Dataset is { } dataset ? DatasetId.Of("", dataset) : null),
        new Column<CheckResult, string?>("observed_value", result => result.ObservedValue),
        new Column<CheckResult, double?>("observed_number", result => result.ObservedNumber),
        new Column<CheckResult, string?>("expected", result => result.Expected),
        new Column<CheckResult, long?>("failed_rows", result => result.FailedRows),
        new Column<CheckResult, long?>("total_rows", result => result.TotalRows),
        new Column<CheckResult, string?>("message", result => result.Message),
        new Column<CheckResult, DateTimeOffset>("executed_at", result => result.ExecutedAt),
        new Column<CheckResult, double?>("duration_seconds", result => result.DurationSeconds),
        new Column<CheckResult, string?>("metadata", result => result.Metadata),
        new Column<CheckResult, byte[]>("request_hash", result => result.RequestHash),
        new Column<CheckResult, DateTimeOffset>("created_at", result => result.CreatedAt));

    private Task<List<string>> Insert(Session session, List<CheckResult> results, CancellationToken ct)
    {
        var sql = $"""
            -- CheckResults.Insert
            insert into check_results (organization_id, {InsertColumns})
            select @organization, {InsertColumns}
            from {db.Dialect.From(Rows)}
            where exists (
                    select 1 from pipelines
                    where pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id and pipelines.deleted_at is null)
              and not exists (
                    select 1 from runs
                    where runs.organization_id = @organization and runs.id = rows.run_id and runs.pipeline_id <> rows.pipeline_id)
            on conflict (organization_id, id) do nothing
            returning id
            """;

        return session.Run<CheckResult, string>(sql, Rows, results, ct);
    }

    private async Task Record(
        Session session, string organization, IReadOnlyList<CheckResult> results, ResultOutcome?[] outcomes, CancellationToken ct)
    {
        var pending = results.Index().Where(result => outcomes[result.Index] is null).ToList();
        // One statement cannot meet an id twice, and rows in the order of their ids cannot deadlock with another writer's.
        var first = pending.DistinctBy(result => result.Item.Id, StringComparer.Ordinal).OrderBy(result => result.Item.Id, StringComparer.Ordinal).ToList();
        var stored = (await Insert(session, [.. first.Select(result => result.Item)], ct)).ToHashSet(StringComparer.Ordinal);
        var inserted = first.Where(result => stored.Contains(result.Item.Id)).OrderBy(result => result.Index).ToList();
        var foreign = await new RunGates(db.Dialect, session, organization).Close([.. inserted.Select(result => result.Item)], ct);
        foreach (var (index, result) in inserted)
        {
            outcomes[index] = foreign.Contains(result.Id) ? ResultOutcome.RunIdTaken : ResultOutcome.Stored;
        }

        if (inserted.Count < pending.Count)
        {
            await Explain(session, organization, results, outcomes, ct);
        }
    }

    // Why those that were not stored were not; one that nothing stands against any more is left to be tried again.
    private async Task Explain(
        Session session, string organization, IReadOnlyList<CheckResult> results, ResultOutcome?[] outcomes, CancellationToken ct)
    {
        var present = $"""
            -- CheckResults.Present
            select id, request_hash
            from check_results
            where organization_id = @organization and {db.Dialect.IsAnyOf("id", "@ids")}
            """;
        var runs = $"""
            -- CheckResults.RunOwners
            select id, pipeline_id
            from runs
            where organization_id = @organization and {db.Dialect.IsAnyOf("id", "@ids")}
            """;

        var left = results.Index().Where(result => outcomes[result.Index] is null).ToList();
        string[] Ids(Func<CheckResult, string?> id) => [.. left.Select(result => id(result.Item)).OfType<string>().Distinct(StringComparer.Ordinal)];
        var hashes = (await session.Many<Present>(present, new { organization, ids = Ids(result => result.Id) }, ct)).ToDictionary(row => row.Id, row => row.RequestHash, StringComparer.Ordinal);
        var known = await KnownPipelines.Among(session, db.Dialect, organization, left.Select(result => result.Item.PipelineId), ct);
        var owners = (await session.Many<Owner>(runs, new { organization, ids = Ids(result => result.RunId) }, ct)).ToDictionary(row => row.Id, row => row.PipelineId, StringComparer.Ordinal);
        foreach (var (index, result) in left)
        {
            outcomes[index] = hashes.TryGetValue(result.Id, out var hash)
                ? hash.AsSpan().SequenceEqual(result.RequestHash) ? ResultOutcome.Duplicate : ResultOutcome.IdTaken
                : !known.Contains(result.PipelineId) ? ResultOutcome.PipelineUnknown
                : result.RunId is { } run && owners.TryGetValue(run, out var owner) && owner != result.PipelineId ? ResultOutcome.RunIdTaken
                : null;
        }
    }

    private sealed record Present
    {
        public required string Id { get; init; }
        public required byte[] RequestHash { get; init; }
    }

    private sealed record Owner
    {
        public required string Id { get; init; }
        public required string PipelineId { get; init; }
    }
}
