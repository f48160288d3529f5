using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Checks;

/// <summary>The statements that store results, for one organization.</summary>
internal sealed class ResultWriting(Dialect dialect, string organization)
{
    private const string Columns = """
        id, pipeline_id, check_id, run_id, status, severity, dataset, dataset_key, observed_value, observed_number, expected, failed_rows, total_rows,
        message, executed_at, duration_seconds, metadata, request_hash, created_at
        """;

    private static readonly Rows<CheckResult> Rows = new(
        new Column<CheckResult, string>("id", result => result.Id),
        new Column<CheckResult, string>("pipeline_id", result => result.PipelineId),
        new Column<CheckResult, string>("check_id", result => result.CheckId),
        new Column<CheckResult, string?>("run_id", result => result.RunId),
        new Column<CheckResult, string>("status", result => result.Status),
        new Column<CheckResult, string>("severity", result => result.Severity),
        new Column<CheckResult, string?>("dataset", result => result.Dataset),
        new Column<CheckResult, Guid?>("dataset_key", result => result.Dataset is { } dataset ? DatasetId.Of(dataset) : null),
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

    private static readonly Rows<Asked> AskedRows = new(
        new Column<Asked, int>("place", asked => asked.Place),
        new Column<Asked, string>("id", asked => asked.Result.Id),
        new Column<Asked, string>("pipeline_id", asked => asked.Result.PipelineId),
        new Column<Asked, string?>("run_id", asked => asked.Result.RunId));

    /// <summary>Stores results that nothing stands against. No two may have one id.</summary>
    /// <returns>Gives the ids of those that were stored.</returns>
    public Statement<CheckResult, string> Insert(IEnumerable<CheckResult> results)
    {
        // In the order of their ids, so that writers of the same ids wait for one another and never for each other.
        const string Sql = $"""
            -- Results.Insert
            insert into check_results (organization_id, {Columns})
            select @organization, {Columns}
            from rows
            where exists (
                    select 1 from pipelines
                    where pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id and pipelines.deleted_at is null)
              and not exists (
                    select 1 from runs
                    where runs.organization_id = @organization and runs.id = rows.run_id and runs.pipeline_id <> rows.pipeline_id)
            order by rows.id
            on conflict (organization_id, id) do nothing
            returning id
            """;

        return new(organization, Sql, Rows, [.. results.OrderBy(result => result.Id, StringComparer.Ordinal)]);
    }

    /// <summary>What stands against results.</summary>
    /// <returns>Gives an <see cref="Obstacles"/> for each, by its place.</returns>
    public Statement<Asked, Obstacles> Explain(IEnumerable<CheckResult> results)
    {
        const string Sql = """
            -- Results.Explain
            select rows.place, results.request_hash as present, pipelines.id is not null as pipeline_known, runs.pipeline_id as run_owner
            from rows
            left join check_results as results on results.organization_id = @organization and results.id = rows.id
            left join pipelines on pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id and pipelines.deleted_at is null
            left join runs on runs.organization_id = @organization and runs.id = rows.run_id
            """;

        return new(organization, Sql, AskedRows, [.. results.Select((result, place) => new Asked(place, result))]);
    }

    /// <summary>
    /// Stores results in a transaction, and closes the gates of the runs that failures of severity error name. What becomes of each is what
    /// would have, had they come one by one in this order.
    /// </summary>
    /// <returns>For each result, in the order given, what became of it.</returns>
    public async Task<ResultOutcome[]> Record(Session session, IReadOnlyList<CheckResult> results, CancellationToken ct)
    {
        var outcomes = new ResultOutcome?[results.Count];
        foreach (var part in Parts(results))
        {
            // Once is enough, unless a pipeline came back between two statements.
            for (var attempt = 0; attempt < 3 && part.Exists(place => outcomes[place] is null); attempt++)
            {
                await Record(session, results, part, outcomes, ct);
            }
        }

        return [.. outcomes.Select(outcome => outcome ?? ResultOutcome.PipelineUnknown)];
    }

    // Parts of which no result can change what becomes of another: each id once, and each run for one pipeline. Nearly always one.
    private static IEnumerable<List<int>> Parts(IReadOnlyList<CheckResult> results)
    {
        List<int> part = [];
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var runs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (place, result) in results.Index())
        {
            if (ids.Contains(result.Id) || (result.RunId is { } run && runs.TryGetValue(run, out var pipeline) && pipeline != result.PipelineId))
            {
                yield return part;
                part = [];
                ids.Clear();
                runs.Clear();
            }

            part.Add(place);
            ids.Add(result.Id);
            if (result.RunId is not null)
            {
                runs[result.RunId] = result.PipelineId;
            }
        }

        yield return part;
    }

    private async Task Record(Session session, IReadOnlyList<CheckResult> results, List<int> part, ResultOutcome?[] outcomes, CancellationToken ct)
    {
        var pending = part.Where(place => outcomes[place] is null).ToList();
        var stored = (await session.Run(Insert(pending.Select(place => results[place])), ct)).ToHashSet(StringComparer.Ordinal);
        var inserted = pending.Where(place => stored.Contains(results[place].Id)).ToList();
        var foreign = await new RunGates(dialect, session, organization).Close([.. inserted.Select(place => results[place])], ct);
        foreach (var place in inserted)
        {
            outcomes[place] = foreign.Contains(results[place].Id) ? ResultOutcome.RunIdTaken : ResultOutcome.Stored;
        }

        var left = pending.Where(place => outcomes[place] is null).ToList();
        foreach (var obstacles in await session.Run(Explain(left.Select(place => results[place])), ct))
        {
            var place = left[obstacles.Place];
            outcomes[place] = obstacles.Against(results[place]);
        }
    }

    /// <summary>A result that was not stored, by its place among others.</summary>
    public readonly record struct Asked(int Place, CheckResult Result);

    /// <summary>What there is that a result may not be stored for.</summary>
    public sealed record Obstacles
    {
        public required int Place { get; init; }

        /// <summary>The hash of the result that has its id.</summary>
        public byte[]? Present { get; init; }

        public required bool PipelineKnown { get; init; }

        /// <summary>The pipeline that its run belongs to.</summary>
        public string? RunOwner { get; init; }

        /// <summary>What became of the result; null when nothing stands against it any more, so that it may be tried again.</summary>
        public ResultOutcome? Against(CheckResult result) =>
            Present is { } hash ? hash.AsSpan().SequenceEqual(result.RequestHash) ? ResultOutcome.Duplicate : ResultOutcome.IdTaken
            : !PipelineKnown ? ResultOutcome.PipelineUnknown
            : RunOwner is { } owner && owner != result.PipelineId ? ResultOutcome.RunIdTaken
            : null;
    }
}
