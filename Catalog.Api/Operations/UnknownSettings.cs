using Catalog.Data.Settings;

namespace Catalog.Api.Operations;

/// <summary>
/// Warns at start about settings that the service does not know. Otherwise a mistyped name would silently leave the
/// default in use.
/// </summary>
internal static partial class UnknownSettings
{
    public static void WarnAboutUnknownSettings(this WebApplication app)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Catalog.Api.Operations.UnknownSettings");
        foreach (var warning in KnownSettings.UnknownWarnings(app.Configuration))
        {
            LogUnread(log, warning);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogUnread(ILogger log, string warning);
}
