using Catalog.Api.Background;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>Stores, once a minute and at the end, when keys were last used: off the path of requests, or every read would be a write.</summary>
internal sealed class KeyUses(KnownKeys known, ApiKeyRepository keys) : IRecurringWork
{
    public string Name => "store when keys were last used";

    public TimeSpan Pause => TimeSpan.FromMinutes(1);

    public bool RunsAtStop => true;

    // A time that could not be stored is lost; the next use of the key stores a newer one.
    public async Task Run(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        foreach (var organization in known.TakeUses())
        {
            await keys.Used(organization.Key, [.. organization], limit.Token);
        }
    }
}
