using Catalog.Api.Background;
using Catalog.Data.Database;
using Catalog.Data.Settings;

namespace Catalog.Api.Operations;

/// <summary>
/// Checks regularly whether row-level security separates the organizations in the database, and logs each change. When
/// row-level security is required (DATAXPIPE_REQUIRE_RLS) and not active, the service does not start; when it becomes
/// inactive later, requests are rejected and the service is not ready until it is active again.
/// </summary>
internal sealed partial class RowSecurityMonitor(CatalogDatabase database, DatabaseSettings settings, ILogger<RowSecurityMonitor> log)
    : IRecurringWork
{
    private RowSecurityStatus? _last;

    /// <summary>Why requests are rejected, for the operator; null when they are not.</summary>
    public string? Refusal => _last is { BlocksStatements: true } refusing
        ? $"Row-level security is not active: {refusing.Description}" : null;

    public string Name => "watch row-level security";

    public TimeSpan Pause => TimeSpan.FromSeconds(6);

    /// <summary>Does the first check, before the service listens.</summary>
    /// <exception cref="SettingException">Row-level security is required and not active.</exception>
    public async Task Start(CancellationToken ct)
    {
        await Check(ct);
        if (_last is { IsEnforced: false } last && settings.RequireRowSecurity)
        {
            throw new SettingException($"DATAXPIPE_REQUIRE_RLS is set and row-level security is not active: {last.Description}");
        }
    }

    public Task Run(CancellationToken ct) => settings.Engine == DatabaseEngine.Postgres ? Check(ct) : Task.CompletedTask;

    private async Task Check(CancellationToken ct)
    {
        try
        {
            var found = await database.Isolation(ct);
            if (found is not null && found != _last)
            {
                Action<string> write = found.IsEnforced ? LogRowSecurityActive
                    : found.BlocksStatements ? LogRequestsRejected : LogRowSecurityInactive;
                write(found.Description);
            }

            _last = found;
        }
        catch (DatabaseUnavailableException)
        {
            // The database is not available. If row-level security is required, the data layer serves no request until
            // a check has succeeded.
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Organizations are separated by SQL conditions and by row-level security: {Words}")]
    private partial void LogRowSecurityActive(string words);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Organizations are separated by SQL conditions only, because row-level security is not active: {Words}")]
    private partial void LogRowSecurityInactive(string words);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "All requests for data are rejected, because row-level security is not active: {Words}")]
    private partial void LogRequestsRejected(string words);
}
