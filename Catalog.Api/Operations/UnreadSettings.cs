using Catalog.Data.Database;

namespace Catalog.Api.Operations;

/// <summary>Tells at start of settings that nothing reads: a mistyped name would otherwise leave a default in force unseen.</summary>
internal static partial class UnreadSettings
{
    public static void WarnOfUnreadSettings(this WebApplication app)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Catalog.Api.Operations.UnreadSettings");
        foreach (var warning in KnownSettings.UnknownWarnings(app.Configuration))
        {
            LogUnread(log, warning);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogUnread(ILogger log, string warning);
}
