using Catalog.Api.Background;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// Merges, each second, what this replica has let through with what the others have, so that a limit holds for all of them together.
/// The others can be ahead by what they let through in that second; while the database is away each replica holds to the limit alone.
/// </summary>
internal sealed class RateMerging(RequestRates rates, RequestRateRepository repository, TimeProvider time) : IRecurringWork
{
    public string Name => "merge request rates with the other replicas";

    public TimeSpan Pause => TimeSpan.FromSeconds(1);

    public bool RunsAtStop => true;

    // Few at once: requests come first to the pool.
    public Task Run(CancellationToken ct) => Parallel.ForEachAsync(rates.ToMerge(), new ParallelOptions { MaxDegreeOfParallelism = 2 },
        async (bucket, _) => await Merge(bucket.Organization, bucket.Bucket));

    private async Task Merge(string organization, Bucket bucket)
    {
        var uses = bucket.TakeUses();
        try
        {
            var left = await repository.Merge(organization, bucket.PerMinute, uses, time.Now(), CancellationToken.None);
            bucket.Set(left, time.GetTimestamp());
        }
        catch
        {
            bucket.GiveBack(uses);
            throw;
        }
    }
}
