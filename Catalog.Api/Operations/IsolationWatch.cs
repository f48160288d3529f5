using Catalog.Api.Background;
using Catalog.Data.Database;

namespace Catalog.Api.Operations;

/// <summary>
/// Watches whether the database itself keeps organizations apart, and says so when that changes. Where it is required and does not hold the
/// service does not start; where it ceases to, requests are refused and the service is not ready until it holds again.
/// </summary>
internal sealed partial class IsolationWatch(CatalogDatabase database, DatabaseSettings settings, ILogger<IsolationWatch> log) : IRecurringWork
{
    private Isolation? _last;

    /// <summary>Why requests are refused, in words for an operator; null when they are not.</summary>
    public string? Refusal => _last is { BlocksStatements: true } refusing ? $"Row-level security does not hold: {refusing.Description}" : null;

    public string Name => "watch row-level security";

    public TimeSpan Pause => TimeSpan.FromSeconds(6);

    /// <summary>Looks for the first time, before anything is served.</summary>
    /// <exception cref="SettingException">Row-level security is required and does not hold.</exception>
    public async Task Begin(CancellationToken ct)
    {
        await Look(ct);
        if (_last is { IsEnforced: false } last && settings.RequireRowSecurity)
        {
            throw new SettingException($"DATAXPIPE_REQUIRE_RLS is set and row-level security does not hold: {last.Description}");
        }
    }

    public Task Run(CancellationToken ct) => settings.Engine == DatabaseEngine.Postgres ? Look(ct) : Task.CompletedTask;

    private async Task Look(CancellationToken ct)
    {
        try
        {
            var found = await database.Isolation(ct);
            if (found is not null && found != _last)
            {
                (found.IsEnforced ? (Action<string>)LogHeld : LogNotHeld)(found.Description);
            }

            _last = found;
        }
        catch (DatabaseUnavailableException)
        {
            // It is away. Until it was looked at, no request is served without what is required.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Organizations are kept apart twice: {Words}")]
    private partial void LogHeld(string words);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Organizations are kept apart by the conditions of statements alone: {Words}")]
    private partial void LogNotHeld(string words);
}
