using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>
/// Folds a run again from its stored events, because a new event changes its attempts. Events that retention removed,
/// or that are beyond the limits of the read, are represented by the stored attempts.
/// </summary>
internal sealed class RunRefold
{
    /// <summary>The maximum number of events that are read: the events that were received last.</summary>
    public const int MaxEvents = 10_000;

    private const long MaxBytes = 8 * 1024 * 1024;
    private readonly FoldedRun _run;
    private readonly IReadOnlyList<FoldedRun> _earlier;
    private readonly Dictionary<string, ReceivedRunEvent> _events = new(StringComparer.Ordinal);
    private readonly bool _isPart;

    private RunRefold(FoldedRun run, IReadOnlyList<FoldedRun> earlier, List<StoredReport> stored)
    {
        (_run, _earlier) = (run, earlier);
        foreach (var report in stored.Where(report => report.Json is not null))
        {
            Add(new(RunEventJson.Read(run.Id, report.Digest, report.Json!), report.ReceivedAt));
        }

        _isPart = run.FirstReceived is { } first
            && (stored.Count is 0 or MaxEvents || _events.Count < stored.Count || stored.Min(report => report.ReceivedAt) > first);
    }

    /// <summary>Whether an event with a status is among the events.</summary>
    public bool HasStatus => _events.Values.Any(report => report.Event.Status is not null);

    /// <summary>Reads the events of a run.</summary>
    /// <param name="session">The session that has locked the run.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="run">The row of the run.</param>
    /// <param name="earlier">Its stored earlier attempts.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<RunRefold> Read(
        Session session, string organization, FoldedRun run, IReadOnlyList<FoldedRun> earlier, CancellationToken ct)
    {
        const string Sql = """
            -- RunEvents.Reports
            select digest, received_at, case when bytes <= @MaxBytes then json end as json
            from (
                select digest, received_at, json,
                    sum(octet_length(json)) over (order by received_at desc, digest desc
                        rows between unbounded preceding and current row) as bytes
                from (
                    select digest, received_at, coalesce(report, body) as json
                    from run_events
                    where organization_id = @organization and run_id = @Id
                    order by received_at desc, digest desc
                    limit @MaxEvents
                ) as events
            ) as measured
            order by received_at desc, digest desc
            """;

        return new(run, earlier, await session.Many<StoredReport>(Sql, new { organization, run.Id, MaxBytes, MaxEvents }, ct));
    }

    /// <summary>Adds an event. An event that was already added keeps the time of its first receipt.</summary>
    public void Add(ReceivedRunEvent report) => _events.TryAdd(Convert.ToHexString(report.Event.Digest), report);

    /// <summary>Folds the events.</summary>
    /// <param name="stages">The stored stages of the run.</param>
    public RefoldedRun Fold(IReadOnlyList<FoldedStage> stages)
    {
        var first = _run.FirstReceived;
        var attempts = RunAttemptSplitter.Split(_run, _isPart ? [.. _earlier, _run] : [], [.. _events.Values]);
        var (last, events) = attempts[^1];
        var received = _events.Values.Min(report => report.ReceivedAt);
        last.FirstReceived = first < received ? first : received;
        var folded = (_isPart && last.Attempt == _run.Attempt ? stages : [])
            .ToDictionary(stage => stage.StageName, StringComparer.Ordinal);
        foreach (var report in events)
        {
            report.ApplyTo(folded);
        }

        List<FoldedRun> earlier = [.. attempts.SkipLast(1).TakeLast(RunAttemptSplitter.MaxEarlier).Select(attempt => attempt.Attempt)];
        var numbers = earlier.Select(attempt => attempt.Attempt).ToHashSet();
        return new(last, earlier, [.. _earlier.Where(attempt => !numbers.Contains(attempt.Attempt))], [.. folded.Values],
            [.. stages.Where(stage => !folded.ContainsKey(stage.StageName))]);
    }

    private sealed record StoredReport
    {
        public required byte[] Digest { get; init; }
        public required DateTimeOffset ReceivedAt { get; init; }

        /// <summary>The report; null when it is beyond <see cref="MaxBytes"/>.</summary>
        public string? Json { get; init; }
    }
}

/// <summary>A run that was folded again.</summary>
/// <param name="Run">The row of the run, with its latest attempt.</param>
/// <param name="Earlier">The earlier attempts of the run, oldest first.</param>
/// <param name="DeletedAttempts">Stored attempts that the run no longer has.</param>
/// <param name="Stages">The stages of the latest attempt.</param>
/// <param name="DeletedStages">Stored stages that the latest attempt does not have.</param>
internal sealed record RefoldedRun(
    FoldedRun Run, IReadOnlyList<FoldedRun> Earlier, IReadOnlyList<FoldedRun> DeletedAttempts, IReadOnlyList<FoldedStage> Stages,
    IReadOnlyList<FoldedStage> DeletedStages);
