using Catalog.Data.Database;
using Catalog.Data.Ingest;

namespace Catalog.Data.Checks;

/// <summary>The requests of one organization in a batch, sorted by what it takes to store their results.</summary>
internal sealed class ResultBatch
{
    private readonly ResultWriting _writing;
    private readonly List<Posted> _posted;
    private readonly List<(Posted Posted, int Index)> _inserted = [];
    private readonly List<(Posted Posted, int Index)> _left = [];
    private Statement<CheckResult, string>? _insert;
    private Statement<ResultWriting.Asked, ResultWriting.Obstacles>? _explain;

    public ResultBatch(Dialect dialect, string organization, IEnumerable<IngestRequest<CheckResult, ResultOutcome>> requests)
    {
        _writing = new(dialect, organization);
        _posted = [.. requests.Select(request => new Posted(request))];
        Organization = organization;
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var posted in _posted.Where(posted => !posted.IsUndivided && !posted.ClosesGates))
        {
            for (var i = 0; i < posted.Outcomes.Length; i++)
            {
                // One statement cannot meet an id twice: the second is asked about afterwards.
                (ids.Add(posted.Items[i].Id) ? _inserted : _left).Add((posted, i));
            }
        }
    }

    public string Organization { get; }

    /// <summary>Stores what most requests hold: results that close no gate.</summary>
    public Statement Insert() => _insert = _writing.Insert(_inserted.Select(place => place.Posted.Items[place.Index]));

    /// <summary>Completes the requests that were stored as a whole.</summary>
    public void CompleteInserted()
    {
        var stored = _insert!.Results.ToHashSet(StringComparer.Ordinal);
        foreach (var (posted, index) in _inserted)
        {
            if (stored.Contains(posted.Items[index].Id))
            {
                posted.Outcomes[index] = ResultOutcome.Stored;
            }
            else
            {
                _left.Add((posted, index));
            }
        }

        _posted.ForEach(posted => posted.CompleteWhenKnown());
    }

    /// <summary>Asks what stood against those that were not stored.</summary>
    public Statement Explain() => _explain = _writing.Explain(_left.Select(place => place.Posted.Items[place.Index]));

    /// <summary>Completes the requests of which everything is known now.</summary>
    public void CompleteExplained()
    {
        foreach (var obstacles in _explain!.Results)
        {
            var (posted, index) = _left[obstacles.Place];
            posted.Outcomes[index] = obstacles.Against(posted.Items[index]);
        }

        _posted.ForEach(posted => posted.CompleteWhenKnown());
    }

    /// <summary>Whether there are results that can only be stored by several statements.</summary>
    public bool HasMore => _posted.Exists(posted => !posted.IsUndivided && !posted.IsKnown);

    /// <summary>Stores what is left, in a transaction after which <see cref="CompleteRecorded"/> is to be called.</summary>
    public async Task Record(Session session)
    {
        var more = _posted.Where(posted => !posted.IsUndivided).SelectMany(posted => posted.Unknown).ToList();
        var outcomes = await _writing.Record(session, [.. more.Select(place => place.Posted.Items[place.Index])], CancellationToken.None);
        foreach (var ((posted, index), outcome) in more.Zip(outcomes))
        {
            posted.Recorded.Add((index, outcome));
        }
    }

    /// <summary>Completes the requests that <see cref="Record"/> has stored.</summary>
    public void CompleteRecorded()
    {
        foreach (var posted in _posted)
        {
            posted.Recorded.ForEach(recorded => posted.Outcomes[recorded.Index] = recorded.Outcome);
            posted.CompleteWhenKnown();
        }
    }

    /// <summary>Stores each request that is stored as a whole or not at all, in a transaction of its own.</summary>
    public async Task RecordUndivided(CatalogDatabase db)
    {
        foreach (var posted in _posted.Where(posted => posted.IsUndivided))
        {
            posted.Complete(await db.Write(Organization, async session =>
            {
                var outcomes = await _writing.Record(session, posted.Items, CancellationToken.None);
                if (outcomes.Index().Any(outcome => outcome.Item == ResultOutcome.IdTaken && posted.Items[outcome.Index].IdIsDerived))
                {
                    session.RequestRollback();
                }

                return outcomes;
            }, CancellationToken.None));
        }
    }

    private sealed class Posted(IngestRequest<CheckResult, ResultOutcome> request)
    {
        public IReadOnlyList<CheckResult> Items => request.Items;

        public ResultOutcome?[] Outcomes { get; } = new ResultOutcome?[request.Items.Count];

        public List<(int Index, ResultOutcome Outcome)> Recorded { get; } = [];

        public bool ClosesGates { get; } = request.Items.Any(result => result.ClosesGate);

        // An idempotency key stands for all that came with it.
        public bool IsUndivided { get; } = request.Items.Count > 1 && request.Items.Any(result => result.IdIsDerived);

        public bool IsKnown => !Array.Exists(Outcomes, outcome => outcome is null);

        public IEnumerable<(Posted Posted, int Index)> Unknown => Outcomes.Index().Where(outcome => outcome.Item is null).Select(outcome => (this, outcome.Index));

        public void CompleteWhenKnown()
        {
            if (IsKnown)
            {
                request.Complete(Array.ConvertAll(Outcomes, outcome => outcome!.Value));
            }
        }

        public void Complete(ResultOutcome[] outcomes) => request.Complete(outcomes);
    }
}
