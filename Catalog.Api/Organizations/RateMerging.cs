using Catalog.Api.Background;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// Exchanges, once a second, the number of accepted requests with the other replicas through the database, so that a
/// limit applies to all replicas together. The count of the other replicas may be one second old. While the database is
/// not available, each replica applies the limit on its own.
/// </summary>
internal sealed class RateMerging(RequestRates rates, RequestRateRepository repository, TimeProvider time) : IRecurringWork
{
    public string Name => "merge request rates with the other replicas";

    public TimeSpan Pause => TimeSpan.FromSeconds(1);

    public bool RunsAtStop => true;

    // At most two merges run at once, to leave the database connections to requests.
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
            bucket.RestoreUses(uses);
            throw;
        }
    }
}
