using Catalog.Api.Background;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>
/// Stores the time of last use of keys once a minute and at stop. Storing it in the request would turn every read into
/// a write.
/// </summary>
internal sealed class KeyUsageWriter(ApiKeyCache cache, ApiKeyRepository keys) : IRecurringWork
{
    public string Name => "store when keys were last used";

    public TimeSpan Pause => TimeSpan.FromMinutes(1);

    public bool RunsAtStop => true;

    // A time that could not be stored is lost. The time of the next use of the key is stored instead.
    public async Task Run(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        foreach (var organization in cache.TakeUses())
        {
            await keys.SetLastUsed(organization.Key, [.. organization], limit.Token);
        }
    }
}
