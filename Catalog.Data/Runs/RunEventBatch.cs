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
    private readonly Dictionary<string, Dictionary<string, FoldedStage>> _stages = new(StringComparer.Ordinal);
    private readonly Dictionary<(string RunId, string Digest), DateTimeOffset> _receipts = [];
    private readonly Dictionary<string, IReadOnlyList<FoldedRun>> _earlier = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RunRefold> _refolds = new(StringComparer.Ordinal);
    private readonly List<CheckCount> _checks = [];
    private LockedRuns? _locked;
    private Statement<RunEvent, StoredEvent>? _stored;

    /// <summary>
    /// Stores the events of several organizations in one transaction. Normally one round trip locks and reads, and one
    /// round trip writes.
    /// </summary>
    public static async Task Record(CrossOrganizationSession session, IReadOnlyList<RunEventBatch> batches, CancellationToken ct)
    {
        await session.Send(batches.SelectMany(batch => batch.Lock()), ct);
        foreach (var batch in batches.Where(batch => !batch.ReadLocked()))
        {
            await batch.LockRest(session, ct);
        }

        foreach (var batch in batches)
        {
            await batch.ReadEarlierReceipts(session, ct);
            await batch.ReadAttempts(session, ct);
        }

        await session.Send(batches.SelectMany(batch => batch.Store()), ct);
    }

    /// <summary>One receipt for each event, in the order of the events.</summary>
    public RunReceipt[] Receipts()
    {
        var checks = _checks.ToLookup(count => count.RunId, StringComparer.Ordinal);
        var details = new Dictionary<string, RunDetail>(StringComparer.Ordinal);
        return [.. events.Zip(_outcomes, (@event, outcome) =>
            new RunReceipt(outcome, outcome is RunOutcome.Created or RunOutcome.Updated ? Detail(@event.RunId) : null))];

        RunDetail Detail(string id) => details.TryGetValue(id, out var detail)
            ? detail
            : details[id] = new(
                _runs[id].ToRun(now), RunDetail.SortStages(StagesOf(id).Values.Select(stage => stage.ToStage())), [.. checks[id]])
            {
                Attempts = [.. _earlier.GetValueOrDefault(id, []).Select(attempt => attempt.ToAttempt())],
            };
    }

    private IEnumerable<Statement> Lock()
    {
        // Normally all events of a run name the same registered pipeline, and one round trip locks all runs. Otherwise
        // LockRest locks the other runs.
        _locked = Lock(events, _ => true);
        _stored = _sql.FindStored([.. events.Where(@event => @event.IdIsDerived || ReceivedRunEvent.IsItsOnlyTime(@event))]);
        return [.. _locked.Statements, _stored];
    }

    private LockedRuns Lock(IEnumerable<RunEvent> locked, Func<string, bool> isCandidate) =>
        _sql.Lock([.. locked.GroupBy(@event => @event.RunId, StringComparer.Ordinal)
        .Select(run => new RunToLock(run.Key, run.FirstOrDefault(@event => !@event.RunMustExist && isCandidate(@event.PipelineId!)), now))
        .OrderBy(run => run.Id, StringComparer.Ordinal)]);

    // Returns false when LockRest must run.
    private bool ReadLocked()
    {
        // After a lost connection the work is repeated, so the results of the first try are removed.
        _runs.Clear();
        _stages.Clear();
        _receipts.Clear();
        _earlier.Clear();
        _refolds.Clear();
        _checks.Clear();
        Add(_locked!);
        Add(_stored!);
        return events.All(@event => @event.RunMustExist || _knownPipelines.Contains(@event.PipelineId!));
    }

    private void Add(Statement<RunEvent, StoredEvent> found)
    {
        foreach (var stored in found.Results)
        {
            _receipts[(stored.RunId, Convert.ToHexString(stored.Digest))] = stored.ReceivedAt;
        }
    }

    // An event can be older than the first receipt of its run: this batch waited for another writer, or the clock of
    // another replica is ahead. If such an event is stored already, its stored receipt must be used. Otherwise the run
    // would look as if its first events had been removed.
    private async Task ReadEarlierReceipts(CrossOrganizationSession session, CancellationToken ct)
    {
        List<RunEvent> early = [.. events.Where(@event => _runs.GetValueOrDefault(@event.RunId)?.FirstReceived > now)];
        if (early.Count > 0)
        {
            var stored = _sql.FindStored(early);
            await session.Send([stored], ct);
            Add(stored);
        }
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
            StagesOf(stage.RunId)[stage.StageName] = stage;
        }

        _checks.AddRange(locked.Checks.Results);
    }

    // Most runs have one attempt; then nothing is read here.
    private async Task ReadAttempts(CrossOrganizationSession session, CancellationToken ct)
    {
        foreach (var group in Enumerable.Range(0, events.Count).GroupBy(i => events[i].RunId, StringComparer.Ordinal))
        {
            if (!_runs.TryGetValue(group.Key, out var run))
            {
                continue;
            }

            var isFolded = run.TakesAll(group.Select(Received));
            if (run.Attempt > 1 || !isFolded)
            {
                _earlier[run.Id] = await RunAttemptTable.Find(session.ForOrganization(organization), organization, run.Id, ct);
            }

            if (!isFolded)
            {
                _refolds[run.Id] = await RunRefold.Read(session.ForOrganization(organization), organization, run, _earlier[run.Id], ct);
            }
        }
    }

    private IEnumerable<Statement> Store()
    {
        List<ReceivedRunEvent> accepted = [];
        HashSet<FoldedStage> stages = [];
        for (var i = 0; i < _outcomes.Length; i++)
        {
            var @event = events[i];
            _outcomes[i] = OutcomeOf(@event);
            if (_outcomes[i] is RunOutcome.Created or RunOutcome.Updated)
            {
                var received = Received(i);
                accepted.Add(received);
                _receipts[(@event.RunId, Convert.ToHexString(@event.Digest))] = received.ReceivedAt;
                if (_refolds.TryGetValue(@event.RunId, out var refold))
                {
                    refold.Add(received);
                }
                else
                {
                    _runs[@event.RunId].Apply(received);
                    stages.UnionWith(received.ApplyTo(StagesOf(@event.RunId)));
                }
            }
        }

        string[] changed = [.. accepted.Select(received => received.Event.RunId).Distinct(StringComparer.Ordinal)];
        List<RefoldedRun> refolded = [.. changed.Where(_refolds.ContainsKey).Select(id => _refolds[id].Fold([.. StagesOf(id).Values]))];
        foreach (var run in refolded)
        {
            (_runs[run.Run.Id], _earlier[run.Run.Id]) = (run.Run, run.Earlier);
            _stages[run.Run.Id] = run.Stages.ToDictionary(stage => stage.StageName, StringComparer.Ordinal);
            stages.UnionWith(run.Stages);
        }

        return
        [
            .. _sql.Store(accepted, [.. changed.Select(id => _runs[id])], [.. stages], [.. refolded.SelectMany(run => run.DeletedStages)]),
            .. RunAttemptTable.Store(
                organization, [.. refolded.SelectMany(run => run.Earlier)], [.. refolded.SelectMany(run => run.DeletedAttempts)]),
        ];
    }

    // The events of a batch get times of receipt in their order. A repeated event keeps the time of its first receipt,
    // if that time was read.
    private ReceivedRunEvent Received(int i) => new(events[i], _receipts.Count == 0
        ? now.AddMicroseconds(i)
        : _receipts.GetValueOrDefault((events[i].RunId, Convert.ToHexString(events[i].Digest)), now.AddMicroseconds(i)));

    private Dictionary<string, FoldedStage> StagesOf(string runId)
    {
        if (!_stages.TryGetValue(runId, out var stages))
        {
            _stages.Add(runId, stages = new(StringComparer.Ordinal));
        }

        return stages;
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
            : run.Status is null && !(_refolds.TryGetValue(run.Id, out var refold) && refold.HasStatus) ? RunOutcome.Created
            : @event.IdIsDerived && !_receipts.ContainsKey((@event.RunId, Convert.ToHexString(@event.Digest))) ? RunOutcome.KeyReused
            : RunOutcome.Updated;
    }
}
