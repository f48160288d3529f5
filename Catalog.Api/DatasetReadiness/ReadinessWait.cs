using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.DatasetReadiness;

namespace Catalog.Api.DatasetReadiness;

/// <summary>Judges a dataset, and waits until it is ready.</summary>
internal sealed class ReadinessWait(ReadinessRepository readiness, IHostApplicationLifetime lifetime, TimeProvider time)
{
    // The time between two reads of the database. This replica gets no signal when an event arrives at another replica.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Waits until the dataset is ready, the requested time is over, or this replica stops.</summary>
    /// <returns>The readiness; null when the dataset does not exist.</returns>
    public async Task<Readiness?> Wait(string organization, string dataset, int depth, DateTimeOffset? asOf, PreferWait wait,
        CancellationToken ct)
    {
        var began = time.GetTimestamp();
        var atMost = TimeSpan.FromSeconds(wait.Seconds ?? 0);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        while (true)
        {
            var found = await readiness.Find(organization, dataset, depth, asOf, time.Now(), ct);
            var left = atMost - time.GetElapsedTime(began);
            if (found is null or { Status: ReadinessStatus.Ready } || left <= TimeSpan.Zero || stop.IsCancellationRequested)
            {
                return found;
            }

            // This wait ends without an exception when the replica stops, so that the client still gets the last state.
            await Task.WhenAny(Task.Delay(left < Interval ? left : Interval, time, stop.Token));
        }
    }
}
