using Catalog.Data.Ingest;

namespace Catalog.Data.Checks;

/// <summary>The requests of one organization in a batch.</summary>
internal sealed class ResultBatch
{
    public ResultBatch(string organization, List<RequestOutcomes> requests)
    {
        (Organization, Requests) = (organization, requests);
        foreach (var request in requests.Where(request => !request.IsAtomic && !request.ClosesGates))
        {
            request.AddOpenTo(Simple);
        }
    }

    public string Organization { get; }

    public List<RequestOutcomes> Requests { get; }

    /// <summary>The results that one insert can store.</summary>
    public List<ResultPlace> Simple { get; } = [];

    /// <summary>Whether at least one request is not complete.</summary>
    public bool HasOpen => Requests.Exists(request => request.IsOpen);

    /// <summary>The results without an outcome, except those of atomic requests.</summary>
    public List<ResultPlace> Open()
    {
        List<ResultPlace> open = [];
        foreach (var request in Requests.Where(request => !request.IsAtomic && request.IsOpen))
        {
            request.AddOpenTo(open);
        }

        return open;
    }

    /// <summary>Completes the requests whose results all have an outcome.</summary>
    public void CompleteKnown() => Requests.ForEach(request => request.CompleteIfKnown());
}

/// <summary>One request, with the outcomes of its results as far as they are known.</summary>
internal sealed class RequestOutcomes(IngestRequest<CheckResult, ResultOutcome> request)
{
    public IReadOnlyList<CheckResult> Results => request.Items;

    /// <summary>One outcome for each result; null when it is not known yet.</summary>
    public ResultOutcome?[] Outcomes { get; } = new ResultOutcome?[request.Items.Count];

    public bool ClosesGates { get; } = request.Items.Any(result => result.ClosesGate);

    /// <summary>
    /// Whether all results must be stored or none, because an idempotency key identifies a request with several
    /// results.
    /// </summary>
    public bool IsAtomic { get; } = request.Items.Count > 1 && request.Items.Any(result => result.IdIsDerived);

    public bool IsOpen => !request.IsDone;

    /// <summary>Adds the results without an outcome.</summary>
    public void AddOpenTo(List<ResultPlace> places)
    {
        for (var i = 0; i < Outcomes.Length; i++)
        {
            if (Outcomes[i] is null)
            {
                places.Add(new(this, i));
            }
        }
    }

    public void CompleteIfKnown()
    {
        if (IsOpen && !Array.Exists(Outcomes, outcome => outcome is null))
        {
            request.Complete(Array.ConvertAll(Outcomes, outcome => outcome!.Value));
        }
    }

    public void Complete(ResultOutcome[] outcomes) => request.Complete(outcomes);
}

/// <summary>One result of a request, by its index.</summary>
internal readonly record struct ResultPlace(RequestOutcomes Request, int Index)
{
    public CheckResult Result => Request.Results[Index];

    public bool IsOpen => Request.Outcomes[Index] is null;

    public void Set(ResultOutcome? outcome) => Request.Outcomes[Index] = outcome;
}
