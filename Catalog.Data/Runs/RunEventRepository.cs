using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Takes in the events of runs and keeps each run's state folded from them.</summary>
public sealed class RunEventRepository(CatalogDatabase db, TimeProvider time)
{
    /// <summary>Stores events, of one run or of many, and brings the runs' rows up to date, all in one transaction.</summary>
    /// <returns>For each event, in the order given, what became of it.</returns>
    public async Task<RunOutcome[]> Record(string organization, IReadOnlyList<RunEvent> events, CancellationToken ct)
    {
        var batch = new RunEventBatch(db.Dialect, organization, events, time.Now());
        await db.WriteTogether(session => RunEventBatch.Record(session, [batch], ct), ct);
        return Array.ConvertAll(batch.Receipts(), receipt => receipt.Outcome);
    }
}
