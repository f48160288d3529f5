using Catalog.Data.Database;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Runs;

/// <summary>
/// Stores the run events of one organization: locks the runs, folds the events into them and writes both.
/// </summary>
internal sealed class RunEventBatch(Dialect dialect, string organization, IReadOnlyList<RunEvent> events, DateTimeOffset now)
{
    private readonly RunEventStatements _sql = new(dialect, organization, now);
    private readonly RunOutcome[] _outcomes = new RunOutcome[events.Count];
    private readonly Dictionary<string, FoldedRun> _runs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _knownPipelines = new(StringComparer.Ordinal);
    private readonly Dictionary<(string RunId, string Name), FoldedStage> _stages = [];
    private readonly HashSet<(string RunId, string Digest)> _storedDigests = [];
    private readonly List<CheckCount> _checks = [];
    private LockedRuns? _locked;
    private Statement<RunEvent, StoredEvent>? _stored;

    /// <summary>
    /// Stores the events of several organizations in one transaction: one round trip locks and reads, one writes.
    /// </summary>
    public static async Task Record(CrossOrganizationSession session, IReadOnlyList<RunEventBatch> batches, CancellationToken ct)
    {
        await session.Send(batches.SelectMany(batch => batch.Lock()), ct);
        foreach (var batch in batches.Where(batch => !batch.ReadLocked()))
        {
            await batch.LockRest(session, ct);
        }

        await session.Send(batches.SelectMany(batch => batch.Store()), ct);
    }

    /// <summary>One receipt for each event, in order.</summary>
    public RunReceipt[] Receipts()
    {
        var stages = _stages.Values.ToLookup(stage => stage.RunId, stage => stage.ToStage(), StringComparer.Ordinal);
        var checks = _checks.ToLookup(count => count.RunId, StringComparer.Ordinal);
        var details = new Dictionary<string, RunDetail>(StringComparer.Ordinal);
        return [.. events.Zip(_outcomes, (@event, outcome) =>
            new RunReceipt(outcome, outcome is RunOutcome.Created or RunOutcome.Updated ? Detail(@event.RunId) : null))];

        RunDetail Detail(string id) => details.TryGetValue(id, out var detail)
            ? detail
            : details[id] = new(_runs[id].ToRun(now), RunDetail.SortStages(stages[id]), [.. checks[id]]);
    }

    private IEnumerable<Statement> Lock()
    {
        // Normally all events of a run name one pipeline, and one trip locks everything. After a client error LockRest
        // locks the rest.
        _locked = Lock(events, _ => true);
        _stored = _sql.FindStored([.. events.Where(@event => @event.IdIsDerived)]);
        return [.. _locked.Statements, _stored];
    }

    private LockedRuns Lock(IEnumerable<RunEvent> locked, Func<string, bool> isCandidate) =>
        _sql.Lock([.. locked.GroupBy(@event => @event.RunId, StringComparer.Ordinal)
        .Select(run => new RunToLock(run.Key, run.FirstOrDefault(@event => !@event.RunMustExist && isCandidate(@event.PipelineId!)), now))
        .OrderBy(run => run.Id, StringComparer.Ordinal)]);

    // Returns false when LockRest must run.
    private bool ReadLocked()
    {
        Add(_locked!);
        _storedDigests.UnionWith(_stored!.Results.Select(stored => (stored.RunId, Convert.ToHexString(stored.Digest))));
        return events.All(@event => @event.RunMustExist || _knownPipelines.Contains(@event.PipelineId!));
    }

    private async Task LockRest(CrossOrganizationSession session, CancellationToken ct)
    {
        var named = events.Where(@event => !@event.RunMustExist).Select(@event => @event.PipelineId!)
            .Where(id => !_knownPipelines.Contains(id));
        _knownPipelines.UnionWith(
            await KnownPipelines.FindRegistered(session.ForOrganization(organization), dialect, organization, named, ct));
        var locked = Lock(events.Where(@event => !_runs.ContainsKey(@event.RunId)), _knownPipelines.Contains);
        await session.Send(locked.Statements, ct);
        Add(locked);
    }

    private void Add(LockedRuns locked)
    {
        foreach (var run in locked.Created.Results.Concat(locked.Existing.Results))
        {
            _runs[run.Id] = run;
        }

        // LockOrCreate returns a run only when its pipeline exists.
        var created = locked.Created.Results.Select(run => run.Id).ToHashSet(StringComparer.Ordinal);
        _knownPipelines.UnionWith(locked.Requested.Where(run => created.Contains(run.Id)).Select(run => run.PipelineId!));
        foreach (var stage in locked.Stages.Results)
        {
            _stages[(stage.RunId, stage.StageName)] = stage;
        }

        _checks.AddRange(locked.Checks.Results);
    }

    private IEnumerable<Statement> Store()
    {
        List<RunEvent> accepted = [];
        HashSet<FoldedStage> reported = [];
        for (var i = 0; i < _outcomes.Length; i++)
        {
            var @event = events[i];
            _outcomes[i] = OutcomeOf(@event);
            if (_outcomes[i] is RunOutcome.Created or RunOutcome.Updated)
            {
                accepted.Add(@event);
                _storedDigests.Add((@event.RunId, Convert.ToHexString(@event.Digest)));
                _runs[@event.RunId].Apply(@event);
                reported.UnionWith(@event.Stages.Select(report => Apply(@event.RunId, report)));
            }
        }

        return _sql.Store(accepted, [.. accepted.Select(@event => @event.RunId).Distinct(StringComparer.Ordinal).Select(id => _runs[id])],
            [.. reported]);
    }

    private RunOutcome OutcomeOf(RunEvent @event)
    {
        if (!@event.RunMustExist && !_knownPipelines.Contains(@event.PipelineId!))
        {
            return RunOutcome.PipelineUnknown;
        }

        if (!_runs.TryGetValue(@event.RunId, out var run))
        {
            return @event.RunMustExist ? RunOutcome.RunUnknown : RunOutcome.PipelineUnknown;
        }

        return @event.PipelineId is not null && @event.PipelineId != run.PipelineId ? RunOutcome.RunIdTaken
            : run.Status is null ? RunOutcome.Created
            : @event.IdIsDerived && !_storedDigests.Contains((@event.RunId, Convert.ToHexString(@event.Digest))) ? RunOutcome.KeyReused
            : RunOutcome.Updated;
    }

    private FoldedStage Apply(string runId, StageReport report)
    {
        if (!_stages.TryGetValue((runId, report.StageName), out var stage))
        {
            _stages.Add((runId, report.StageName), stage = new() { RunId = runId, StageName = report.StageName });
        }

        stage.Apply(report);
        return stage;
    }
}
