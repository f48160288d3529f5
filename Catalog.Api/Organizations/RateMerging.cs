using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// Merges, each second, what this replica has let through with what the others have, so that a limit holds for all of them together. They can be
/// ahead of it by what they let through in that second.
/// </summary>
internal sealed partial class RateMerging(RequestRates rates, RequestRateRepository repository, TimeProvider time, ILogger<RateMerging> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                // Few at once: requests come first to the pool.
                await Parallel.ForEachAsync(rates.ToMerge(), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (bucket, _) => await Merge(bucket.Organization, bucket.Bucket));
                failing = false;
            }
            catch (DatabaseUnavailableException)
            {
                // Each replica goes on with what it knows.
                if (!failing)
                {
                    LogNotMerged();
                }

                failing = true;
            }
        }
    }

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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request rates could not be merged with the other replicas': until they can, each holds to the limit by itself")]
    private partial void LogNotMerged();
}
