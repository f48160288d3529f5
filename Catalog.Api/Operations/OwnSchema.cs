using Catalog.Api.Http;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Api.Operations;

/// <summary>On SQLite, with migrations not required, the service brings its own file to head before it serves.</summary>
internal static partial class OwnSchema
{
    public static async Task BringOwnSchemaToHead(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<DatabaseSettings>();
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Catalog.Api.Operations.OwnSchema");
        LogDatabase(log, settings.Display);
        if (app.Services.GetRequiredService<ServiceSettings>().UseMigrations)
        {
            return;
        }

        var (source, dialect, _) = Databases.OpenForMigrations(settings);
        await using (source)
        {
            await new Migrator(source, dialect, app.Services.GetRequiredService<TimeProvider>())
                .Upgrade((script, seconds) => LogApplied(log, script.Name, seconds), app.Lifetime.ApplicationStopping);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Database: {Database}")]
    private static partial void LogDatabase(ILogger log, string database);

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied {Script} in {Seconds:0.000} s")]
    private static partial void LogApplied(ILogger log, string script, double seconds);
}
