using Catalog.Api.Http;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;

namespace Catalog.Api.Operations;

/// <summary>
/// Logs the database at start and, on SQLite without required migrations, upgrades the schema to the newest version
/// before the service listens.
/// </summary>
internal static partial class StartupMigration
{
    public static async Task UpgradeSchemaAtStart(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<DatabaseSettings>();
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Catalog.Api.Operations.StartupMigration");
        LogDatabase(log, settings.Display);
        var service = app.Services.GetRequiredService<ServiceSettings>();
        if (service is { PlatformKey: null, DevKeys: false })
        {
            LogNoKey(log);
        }

        if (service.UseMigrations)
        {
            return;
        }

        await using (var database = MigrationDatabase.Open(settings))
        {
            try
            {
                var applied = await new Migrator(
                    database, Chain.BuiltIn(database.Dialect.Folder), app.Services.GetRequiredService<TimeProvider>())
                    .Upgrade(Chain.Head, again: false, app.Lifetime.ApplicationStopping);
                foreach (var step in applied)
                {
                    LogApplied(log, step.Revision, step.Seconds ?? 0);
                }
            }
            catch (Exception exception) when (database.Failures.Classify(exception) is { } reason)
            {
                throw new SettingException($"DATAXPIPE_DB: {SchemaProbe.Describe(reason)}");
            }
        }

        // If the key file was lost, this start has created a new one. Without this check only a failing connection test
        // would show the loss.
        if (await app.Services.GetRequiredService<ConnectionRepository>().FindSealed("default", app.Lifetime.ApplicationStopping) is
            {
            } connection
            && app.Services.GetRequiredService<SecretBox>().Open("default", connection.Id, connection.Secrets!) is null)
        {
            LogWrongKey(log);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Database: {Database}")]
    private static partial void LogDatabase(ILogger log, string database);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "No key is configured, so every request will be rejected: set DATAXPIPE_PLATFORM_KEY")]
    private static partial void LogNoKey(ILogger log);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The current secret key cannot decrypt the stored secrets of connections: restore the "
            + "key file beside the database, or set DATAXPIPE_SECRET_KEY")]
    private static partial void LogWrongKey(ILogger log);

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied {Script} in {Seconds:0.000} s")]
    private static partial void LogApplied(ILogger log, string script, double seconds);
}
