using Catalog.Data.Database;
using Catalog.Data.Ingest;

namespace Catalog.Data.Checks;

/// <summary>Stores check results. <see cref="CheckResultRepository"/> reads them.</summary>
internal sealed class CheckResultStore(CatalogDatabase db)
{
    /// <summary>
    /// Stores the results of several requests. Each request is completed, with one outcome for each of its results, as
    /// soon as its results are committed. So a later failure cannot change its outcomes. For most batches one statement
    /// for each organization is enough; on Postgres one round trip sends all statements and commits. The further steps
    /// handle the results that these statements did not store or do not contain.
    /// </summary>
    public async Task Write(IReadOnlyList<IngestRequest<CheckResult, ResultOutcome>> batch)
    {
        // Every writer locks organizations in the same order, so that writers cannot deadlock.
        List<ResultBatch> groups =
        [
            .. batch.GroupBy(request => request.Organization, StringComparer.Ordinal)
            .OrderBy(requests => requests.Key, StringComparer.Ordinal)
                .Select(requests => new ResultBatch(requests.Key, [.. requests.Select(request => new RequestOutcomes(request))])),
        ];

        await InsertSimple(groups);
        if (groups.Exists(group => group.HasOpen))
        {
            await ExplainSimple(groups);
            await StoreOthers(groups);
            await StoreAtomic(groups);
        }
    }

    private async Task InsertSimple(List<ResultBatch> groups)
    {
        var results = groups.ConvertAll(group =>
            group.Simple.Select(place => place.Result).DistinctBy(result => result.Id, StringComparer.Ordinal).ToList());
        var closedGates = groups.Zip(results, (group, own) => CheckStateFold.ReadClosedGates(group.Organization, own)).ToList();
        List<Statement<CheckResult, string>> inserts;
        if (db.Dialect.InsertsInExpressions)
        {
            inserts = [.. groups.Zip(results, (group, own) => CheckResultStatements.InsertAndFold(group.Organization, own))];
            await db.Write([.. inserts, .. closedGates], CancellationToken.None);
        }
        else
        {
            inserts = [.. groups.Zip(results, (group, own) => CheckResultStatements.Insert(group.Organization, own))];
            await db.WriteAcrossOrganizations(async session =>
            {
                await session.Send(inserts, CancellationToken.None);
                var folds = Enumerable.Range(0, groups.Count).Select(i => Fold(groups[i].Organization, results[i], inserts[i]));
                await session.Send(folds, CancellationToken.None);
                await session.Send(closedGates, CancellationToken.None);
            }, CancellationToken.None);
        }

        await FoldGates(groups, closedGates);
        foreach (var (group, insert) in groups.Zip(inserts))
        {
            var stored = insert.Results.ToHashSet(StringComparer.Ordinal);
            foreach (var place in group.Simple)
            {
                // When several results have the same id, the statement contains only the first of them.
                if (stored.Remove(place.Result.Id))
                {
                    place.Set(ResultOutcome.Stored);
                }
            }

            group.CompleteKnown();
        }
    }

    private static Statement Fold(string organization, List<CheckResult> results, Statement<CheckResult, string> insert)
    {
        var ids = insert.Results.ToHashSet(StringComparer.Ordinal);
        return CheckStateFold.Fold(organization, results.FindAll(result => ids.Contains(result.Id)));
    }

    // Simple results never close a gate, and few of them belong to a run whose gate is closed. A second transaction
    // updates the gates of those runs before the results are acknowledged. If the process stops between the two
    // transactions, the client sends its results again, and the gates are updated then.
    private async Task FoldGates(List<ResultBatch> groups, List<Statement<CheckStateFold.RunOfResults, string>> closedGates)
    {
        foreach (var (group, closed) in groups.Zip(closedGates).Where(pair => pair.Second.Results.Count > 0))
        {
            var runs = closed.Results.ToHashSet(StringComparer.Ordinal);
            var results = group.Simple.Select(place => place.Result).Where(result => result.RunId is { } run && runs.Contains(run));
            await db.Write([.. CheckStateFold.FoldGates(db.Dialect, group.Organization, results)], CancellationToken.None);
        }
    }

    private async Task ExplainSimple(List<ResultBatch> groups)
    {
        var unstored = groups.ConvertAll(group => group.Simple.FindAll(place => place.IsOpen));
        var explains = groups.Zip(unstored, (group, places) =>
            CheckResultStatements.Explain(group.Organization, places.Select(place => place.Result))).ToList();
        var closedGates = groups
            .Zip(unstored, (group, places) => CheckStateFold.ReadClosedGates(group.Organization, places.Select(place => place.Result)))
            .ToList();
        await db.Write([.. explains, .. closedGates], CancellationToken.None);
        await FoldGates(groups, closedGates);
        for (var i = 0; i < groups.Count; i++)
        {
            foreach (var explanation in explains[i].Results)
            {
                var place = unstored[i][explanation.Place];
                place.Set(explanation.OutcomeOf(place.Result));
            }

            groups[i].CompleteKnown();
        }
    }

    // Stores in one transaction the results that need several round trips: failures that close a gate, and results that
    // were not inserted although nothing prevents their insert any more.
    private async Task StoreOthers(List<ResultBatch> groups)
    {
        var others = groups.ConvertAll(group => (Group: group, Places: group.Open())).FindAll(other => other.Places.Count > 0);
        if (others.Count == 0)
        {
            return;
        }

        var outcomes = new ResultOutcome[others.Count][];
        await db.WriteAcrossOrganizations(async session =>
        {
            for (var i = 0; i < others.Count; i++)
            {
                var organization = others[i].Group.Organization;
                outcomes[i] = await StoreInTransaction(session.ForOrganization(organization), organization, others[i]
                    .Places.ConvertAll(place => place.Result));
            }
        }, CancellationToken.None);
        for (var i = 0; i < others.Count; i++)
        {
            foreach (var (place, outcome) in others[i].Places.Zip(outcomes[i]))
            {
                place.Set(outcome);
            }

            others[i].Group.CompleteKnown();
        }
    }

    private async Task StoreAtomic(List<ResultBatch> groups)
    {
        foreach (var group in groups)
        {
            foreach (var request in group.Requests.Where(request => request.IsAtomic))
            {
                request.Complete(await db.Write(group.Organization, async session =>
                {
                    var outcomes = await StoreInTransaction(session, group.Organization, request.Results);
                    if (outcomes.Contains(ResultOutcome.KeyReused))
                    {
                        session.RequestRollback();
                    }

                    return outcomes;
                }, CancellationToken.None));
            }
        }
    }

    /// <summary>
    /// Stores results inside a transaction and sets the gates of their runs. The outcomes are those that the results
    /// would have if they were stored one by one in this order.
    /// </summary>
    public async Task<ResultOutcome[]> StoreInTransaction(Session session, string organization, IReadOnlyList<CheckResult> results)
    {
        var outcomes = new ResultOutcome?[results.Count];
        foreach (var part in Parts(results))
        {
            // Retry at most twice: when a deleted pipeline is registered again between two statements, the first
            // attempt leaves results without an outcome.
            for (var attempt = 0; attempt < 3 && part.Exists(place => outcomes[place] is null); attempt++)
            {
                await StorePart(session, organization, results, part.FindAll(place => outcomes[place] is null), outcomes);
            }
        }

        return Array.ConvertAll(outcomes, outcome => outcome ?? ResultOutcome.PipelineUnknown);
    }

    // Splits the results into parts, so that no result can change the outcome of another result of the same part: in a
    // part, each id occurs once, and each run has one pipeline. Nearly always there is only one part.
    private static IEnumerable<List<int>> Parts(IReadOnlyList<CheckResult> results)
    {
        List<int> part = [];
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var runs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (place, result) in results.Index())
        {
            if (ids.Contains(result.Id)
                || (result.RunId is { } run && runs.TryGetValue(run, out var pipeline) && pipeline != result.PipelineId))
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

    private async Task StorePart(Session session, string organization, IReadOnlyList<CheckResult> results, List<int> part,
        ResultOutcome?[] outcomes)
    {
        // Every writer of results locks the states of checks first and the runs afterwards, so that these writers do
        // not deadlock with each other. A batch of events of other tools locks its runs first, so it can deadlock with
        // a writer of results. The batch that fails is written again.
        var ct = CancellationToken.None;
        var all = part.ConvertAll(place => results[place]);
        var insert = CheckResultStatements.Insert(organization, all);
        var stored = (await session.Run(insert, ct)).ToHashSet(StringComparer.Ordinal);
        var inserted = part.FindAll(place => stored.Contains(results[place].Id));
        await session.Send([CheckStateFold.Fold(organization, inserted.ConvertAll(place => results[place]))], ct);
        var ofOtherPipelines = await new RunGateClosing(db.Dialect, session, organization)
            .Close(inserted.ConvertAll(place => results[place]), ct);
        await session.Send(CheckStateFold.FoldGates(db.Dialect, organization, all), ct);
        foreach (var place in inserted)
        {
            outcomes[place] = ofOtherPipelines.Contains(results[place].Id) ? ResultOutcome.RunIdTaken : ResultOutcome.Stored;
        }

        var unstored = part.FindAll(place => outcomes[place] is null);
        var explain = CheckResultStatements.Explain(organization, unstored.Select(place => results[place]));
        foreach (var explanation in await session.Run(explain, ct))
        {
            var place = unstored[explanation.Place];
            outcomes[place] = explanation.OutcomeOf(results[place]);
        }
    }
}
