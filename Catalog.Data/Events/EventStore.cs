using Catalog.Data.Checks;
using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>Stores events of other tools in the log and folds their reports, in one transaction.</summary>
public sealed class EventStore(CatalogDatabase db)
{
    private readonly CheckResultStore _results = new(db);

    /// <summary>Stores the events of several organizations.</summary>
    /// <returns>For each organization, in order, one outcome for each of its events, in order.</returns>
    public async Task<EventOutcome[][]> Store(IReadOnlyList<(string Organization, IReadOnlyList<LoggedEvent> Events)> groups)
    {
        var outcomes = new EventOutcome[groups.Count][];
        await db.WriteAcrossOrganizations(async session =>
        {
            for (var i = 0; i < groups.Count; i++)
            {
                outcomes[i] = await new EventBatch(db.Dialect, _results, groups[i].Organization, groups[i].Events)
                    .Store(session, CancellationToken.None);
            }
        }, CancellationToken.None);
        return outcomes;
    }
}
