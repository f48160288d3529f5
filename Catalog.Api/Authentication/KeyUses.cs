using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>Writes down, once a minute and at the end, when keys were last used: off the path of requests, or every read would be a write.</summary>
internal sealed partial class KeyUses(KnownKeys known, ApiKeyRepository keys, ILogger<KeyUses> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Write();
        }
    }

    private async Task Write()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        foreach (var organization in known.TakeUses())
        {
            try
            {
                await keys.Used(organization.Key, [.. organization], limit.Token);
            }
            catch (Exception failure) when (failure is DatabaseUnavailableException or OperationCanceledException)
            {
                // A time that is a little old is what this is; the next use tells again.
                LogNotWritten();
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "When keys were last used could not be written down; the next use will tell")]
    private partial void LogNotWritten();
}
