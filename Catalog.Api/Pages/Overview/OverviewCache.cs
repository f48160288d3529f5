using Catalog.Api.Authentication;
using Catalog.Data;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;

namespace Catalog.Api.Pages.Overview;

/// <summary>
/// Caches the two parts of the first page that read the most rows: the late pipelines come from all scheduled
/// pipelines, and the runs by hour from all runs of the range. The first page is the page that is opened most, so each
/// part is read at most once in 30 seconds for each organization and range.
/// </summary>
internal sealed class OverviewCache(OverduePipelines pipelines, HourlyRunCounts hours, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);
    private const int MaxEntries = 1_000;

    private readonly ExpiringCache<OverdueList> _late = new(
        Lifetime, MaxEntries, organization => pipelines.Find(organization, time.Now(), CancellationToken.None));

    private readonly ExpiringCache<RunHourCounts> _hours = new(Lifetime, MaxEntries, async key =>
    {
        var rangeAndOrganization = key.Split(' ', 2);
        var now = time.Now();
        return await hours.Count(
            rangeAndOrganization[1], now - TimeRange.TryParse(rangeAndOrganization[0])!.Length, now, CancellationToken.None);
    });

    /// <summary>The pipelines that did not start at the time of their schedule.</summary>
    public Task<OverdueList> Late(string organization, CancellationToken ct) => _late.Get(organization, ct).AsTask();

    /// <summary>The runs by the hour of their end.</summary>
    public Task<RunHourCounts> Hours(string organization, TimeRange range, CancellationToken ct) =>
        _hours.Get($"{range.Text} {organization}", ct).AsTask();

    public void Dispose()
    {
        _late.Dispose();
        _hours.Dispose();
    }
}
