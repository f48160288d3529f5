using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Runs;

namespace Catalog.Data.Events;

/// <summary>
/// Stores the events of one organization. Only events that are new in the log are folded, so a repeated event changes
/// nothing.
/// </summary>
internal sealed class EventBatch(
    Dialect dialect, CheckResultStore resultStore, string organization, IReadOnlyList<LoggedEvent> events)
{
    private readonly DateTimeOffset _now = events.Max(@event => @event.ReceivedAt);

    /// <returns>One outcome for each event, in order.</returns>
    public async Task<EventOutcome[]> Store(CrossOrganizationSession session, CancellationToken ct)
    {
        var distinct = events.DistinctBy(KeyOf).ToList();
        var log = EventLogStatements.Insert(organization, distinct);
        var jobs = new JobRegistration(dialect, organization, distinct, _now);
        var aliases = new DatasetAliases(organization, distinct.Select(@event => @event.Report));
        await session.Send([log, .. jobs.Statements, aliases.Statement], ct);
        await jobs.Finish(session.ForOrganization(organization), ct);

        var stored = log.Results.Select(row => (row.Dialect, Convert.ToHexString(row.Digest))).ToHashSet();
        var facts = new LineageFacts(dialect, organization, aliases.Resolve, _now);
        var outcomes = new Dictionary<(string, string), EventOutcome>();
        List<LoggedEvent> folded = [];
        foreach (var @event in distinct)
        {
            if (!stored.Contains(KeyOf(@event)))
            {
                outcomes[KeyOf(@event)] = EventOutcome.Duplicate;
            }
            else if (@event.Report.Jobs is [var own, ..] && jobs.Refusal(own.PipelineId) is { } reason)
            {
                outcomes[KeyOf(@event)] = EventOutcome.LoggedOnly;
                facts.Add(@event.Report.At, new UnreadFacet("event", "job", reason));
            }
            else
            {
                outcomes[KeyOf(@event)] = EventOutcome.Stored;
                folded.Add(@event);
            }
        }

        await Fold(session, jobs, aliases, facts, folded, ct);
        // When a batch contains the same event several times, only its first occurrence gets the outcome of the event.
        // All later occurrences are duplicates.
        return [.. events.Select(@event => KeyOf(@event)).Select(key => Take(outcomes, key))];
    }

    private static EventOutcome Take(Dictionary<(string, string), EventOutcome> outcomes, (string, string) key)
    {
        var outcome = outcomes[key];
        outcomes[key] = EventOutcome.Duplicate;
        return outcome;
    }

    private async Task Fold(CrossOrganizationSession session, JobRegistration jobs, DatasetAliases aliases, LineageFacts facts,
        List<LoggedEvent> folded, CancellationToken ct)
    {
        var reported = folded.SelectMany(@event => @event.Report.Aliases).Distinct().ToList();
        if (reported.Count > 0)
        {
            facts.Reopen(await aliases.Merge(session.ForOrganization(organization), reported, _now, ct));
        }

        var taken = await StoreRuns(session, jobs, facts, folded, ct);
        var results = folded.SelectMany(@event => @event.Report.Results)
            .Where(result => jobs.Refusal(result.PipelineId) is null && !taken.Contains((result.RunId ?? "", result.PipelineId)))
            .DistinctBy(result => result.Id, StringComparer.Ordinal)
            .Select(result => result.Dataset is null ? result : result with { Dataset = aliases.Resolve(result.Dataset) })
            .ToList();
        if (results.Count > 0)
        {
            await resultStore.StoreInTransaction(session.ForOrganization(organization), organization, results);
        }

        foreach (var @event in folded)
        {
            facts.Add(@event.Report, jobs, taken);
        }

        var descriptions = new JobDescriptions(dialect, organization, folded.SelectMany(@event => @event.Report.Facets));
        await session.Send([.. facts.Statements(), descriptions.Current], ct);
        await session.Send([descriptions.Update(_now)], ct);
        foreach (var report in folded.Select(@event => @event.Report))
        {
            if (report is { Checks: { } checks, Jobs: [var own, ..] })
            {
                await new ReportedChecks(session.ForOrganization(organization), organization, own.PipelineId, aliases.Resolve)
                    .Store(checks, report.At, ct);
            }
        }
    }

    private async Task<HashSet<(string RunId, string PipelineId)>> StoreRuns(CrossOrganizationSession session, JobRegistration jobs,
        LineageFacts facts, List<LoggedEvent> folded, CancellationToken ct)
    {
        HashSet<(string, string)> taken = [];
        List<(int Event, RunEvent Run)> reported =
        [
            .. folded.Index().SelectMany(@event => @event.Item.Report.RunEvents
                .Where(run => jobs.Refusal(run.PipelineId!) is null).Select(run => (@event.Index, run))),
        ];
        if (reported.Count == 0)
        {
            return taken;
        }

        var batch = new RunEventBatch(dialect, organization, reported.ConvertAll(pair => pair.Run), _now);
        await RunEventBatch.Record(session, [batch], ct);
        var refused = reported.Zip(batch.Receipts())
            .Where(pair => pair.Second.Outcome is not (RunOutcome.Created or RunOutcome.Updated)).Select(pair => pair.First).ToList();
        taken.UnionWith(refused.Select(pair => (pair.Run.RunId, pair.Run.PipelineId!)));
        foreach (var @event in refused.Select(pair => pair.Event).Distinct())
        {
            facts.Add(folded[@event].Report.At, new UnreadFacet("run", "runId", UnreadReason.RunIdTaken));
        }

        return taken;
    }

    private static (string, string) KeyOf(LoggedEvent @event) => (@event.Dialect, Convert.ToHexString(@event.Digest));
}
