using Catalog.Data.Database;

namespace Catalog.Api.Operations;

/// <summary>Says once whether the database itself keeps organizations apart; where that is required and not so, the service does not start.</summary>
internal sealed partial class IsolationWatch(CatalogDatabase database, DatabaseSettings settings, ILogger<IsolationWatch> log) : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <exception cref="SettingException">Row-level security is required and does not hold.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!await IsKnown(cancellationToken))
        {
            // The database is away. Until it was looked at, no request is served without what is required.
            await base.StartAsync(cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        do
        {
            await Task.Delay(LookAgain, stoppingToken);
        }
        while (!await IsKnown(stoppingToken));
    }

    private async Task<bool> IsKnown(CancellationToken ct)
    {
        try
        {
            switch (await database.Isolation(ct))
            {
                case { Held: true } isolation:
                    LogHeld(isolation.Words);
                    break;
                case { } isolation when settings.RequireRowSecurity:
                    throw new SettingException($"DATAXPIPE_REQUIRE_RLS is set and row-level security does not hold: {isolation.Words}");
                case { } isolation:
                    LogNotHeld(isolation.Words);
                    break;
            }

            return true;
        }
        catch (DatabaseUnavailableException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Organizations are kept apart twice: {Words}")]
    private partial void LogHeld(string words);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Organizations are kept apart by the conditions of statements alone: {Words}")]
    private partial void LogNotHeld(string words);
}
