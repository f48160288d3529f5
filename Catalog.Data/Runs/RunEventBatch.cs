using Catalog.Data.Database;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Runs;

/// <summary>Events of one organization's runs on their way into one transaction: the runs are locked, the events folded into them, both are written.</summary>
internal sealed class RunEventBatch(Dialect dialect, string organization, IReadOnlyList<RunEvent> events, DateTimeOffset now)
{
    private readonly RunEventStatements _sql = new(dialect, organization, now);
    private readonly RunOutcome[] _outcomes = new RunOutcome[events.Count];
    private readonly Dictionary<string, RunProgress> _runs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<(string RunId, string Name), StageProgress> _stages = [];
    private readonly HashSet<(string RunId, string Digest)> _had = [];
    private readonly List<CheckCount> _checks = [];
    private LockedRuns? _locked;
    private Statement<RunEvent, HadEvent>? _asked;

    /// <summary>Stores the events of several organizations, each in one trip to look and one to write.</summary>
    public static async Task Record(CrossOrganizationSession session, IReadOnlyList<RunEventBatch> batches, CancellationToken ct)
    {
        await session.Send(batches.SelectMany(batch => batch.Lock()), ct);
        foreach (var batch in batches.Where(batch => !batch.TakeLocked()))
        {
            await batch.LockRest(session, ct);
        }

        await session.Send(batches.SelectMany(batch => batch.Store()), ct);
    }

    /// <summary>For each event, in the order given, what became of it, and the run after all of them.</summary>
    public RunReceipt[] Receipts()
    {
        var stages = _stages.Values.ToLookup(stage => stage.RunId, stage => stage.ToStage(), StringComparer.Ordinal);
        var checks = _checks.ToLookup(count => count.RunId, StringComparer.Ordinal);
        var details = new Dictionary<string, RunDetail>(StringComparer.Ordinal);
        return [.. events.Zip(_outcomes, (@event, outcome) => new RunReceipt(outcome, outcome is RunOutcome.Created or RunOutcome.Updated ? Detail(@event.RunId) : null))];

        RunDetail Detail(string id) => details.TryGetValue(id, out var detail)
            ? detail
            : details[id] = new(_runs[id].ToRun(now), RunDetail.InOrder(stages[id]), [.. checks[id]]);
    }

    private IEnumerable<Statement> Lock()
    {
        // Events of one run name one pipeline, unless somebody errs: then the rest is locked in a second trip.
        _locked = Lock(events, _ => true);
        _asked = _sql.Had([.. events.Where(@event => @event.FirstOrRepeat)]);
        return [.. _locked.Statements, _asked];
    }

    private LockedRuns Lock(IEnumerable<RunEvent> of, Func<string, bool> pipeline) => _sql.Lock([.. of.GroupBy(@event => @event.RunId, StringComparer.Ordinal)
        .Select(run => new NewRun(run.Key, run.FirstOrDefault(@event => !@event.RunMustExist && pipeline(@event.PipelineId!)), now))
        .OrderBy(run => run.Id, StringComparer.Ordinal)]);

    // Whether nothing more need be asked.
    private bool TakeLocked()
    {
        Take(_locked!);
        _had.UnionWith(_asked!.Results.Select(had => (had.RunId, Convert.ToHexString(had.Digest))));
        return events.All(@event => @event.RunMustExist || _known.Contains(@event.PipelineId!));
    }

    private async Task LockRest(CrossOrganizationSession session, CancellationToken ct)
    {
        var named = events.Where(@event => !@event.RunMustExist).Select(@event => @event.PipelineId!).Where(id => !_known.Contains(id));
        _known.UnionWith(await KnownPipelines.Among(session.ForOrganization(organization), dialect, organization, named, ct));
        var locked = Lock(events.Where(@event => !_runs.ContainsKey(@event.RunId)), _known.Contains);
        await session.Send(locked.Statements, ct);
        Take(locked);
    }

    private void Take(LockedRuns locked)
    {
        foreach (var run in locked.Made.Results.Concat(locked.Found.Results))
        {
            _runs[run.Id] = run;
        }

        // The statement looked for the pipeline itself.
        var made = locked.Made.Results.Select(run => run.Id).ToHashSet(StringComparer.Ordinal);
        _known.UnionWith(locked.Asked.Where(run => made.Contains(run.Id)).Select(run => run.PipelineId!));
        foreach (var stage in locked.Stages.Results)
        {
            _stages[(stage.RunId, stage.StageName)] = stage;
        }

        _checks.AddRange(locked.Checks.Results);
    }

    private IEnumerable<Statement> Store()
    {
        List<RunEvent> accepted = [];
        HashSet<StageProgress> reported = [];
        for (var i = 0; i < _outcomes.Length; i++)
        {
            var @event = events[i];
            _outcomes[i] = Judge(@event);
            if (_outcomes[i] is RunOutcome.Created or RunOutcome.Updated)
            {
                accepted.Add(@event);
                _had.Add((@event.RunId, Convert.ToHexString(@event.Digest)));
                _runs[@event.RunId].Apply(@event);
                reported.UnionWith(@event.Stages.Select(report => Apply(@event.RunId, report)));
            }
        }

        return _sql.Store(accepted, [.. accepted.Select(@event => @event.RunId).Distinct(StringComparer.Ordinal).Select(id => _runs[id])], [.. reported]);
    }

    private RunOutcome Judge(RunEvent @event)
    {
        if (!@event.RunMustExist && !_known.Contains(@event.PipelineId!))
        {
            return RunOutcome.PipelineUnknown;
        }

        if (!_runs.TryGetValue(@event.RunId, out var run))
        {
            return @event.RunMustExist ? RunOutcome.RunUnknown : RunOutcome.PipelineUnknown;
        }

        return @event.PipelineId is not null && @event.PipelineId != run.PipelineId ? RunOutcome.RunIdTaken
            : run.Status is null ? RunOutcome.Created
            : @event.FirstOrRepeat && !_had.Contains((@event.RunId, Convert.ToHexString(@event.Digest))) ? RunOutcome.KeyReused
            : RunOutcome.Updated;
    }

    private StageProgress Apply(string runId, StageReport report)
    {
        if (!_stages.TryGetValue((runId, report.StageName), out var stage))
        {
            _stages.Add((runId, report.StageName), stage = new() { RunId = runId, StageName = report.StageName });
        }

        stage.Apply(report);
        return stage;
    }
}
