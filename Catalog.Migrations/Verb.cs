using System.CommandLine;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations;

/// <summary>What every verb does before and after its own work: find the database, and turn what goes wrong into words and an exit code.</summary>
internal static class Verb
{
    public static Command On(string name, string description, Func<Migrator, ParseResult, CancellationToken, Task<int>> work)
    {
        var command = new Command(name, description);
        command.SetAction((arguments, ct) => Run(arguments, work, ct));
        return command;
    }

    private static async Task<int> Run(ParseResult arguments, Func<Migrator, ParseResult, CancellationToken, Task<int>> work, CancellationToken ct)
    {
        Dialect? failures = null;
        try
        {
            var settings = DatabaseSettings.ReadForMigrations(new ConfigurationBuilder().AddEnvironmentVariables().Build());
            (var source, var dialect, failures) = Databases.OpenForMigrations(settings);
            await using (source)
            {
                return await work(new Migrator(source, dialect, TimeProvider.System), arguments, ct);
            }
        }
        catch (SettingException exception)
        {
            return Say(ExitCode.Usage, exception.Message);
        }
        catch (MigrationException exception)
        {
            return Say(ExitCode.Failed, exception.Message);
        }
        catch (System.Data.Common.DbException exception) when (failures?.WhyUnavailable(exception) is null)
        {
            return Say(ExitCode.Failed, exception.Message);
        }
        catch (Exception exception) when (failures?.WhyUnavailable(exception) is { } reason)
        {
            return reason == Unavailability.NotPermitted
                ? Say(ExitCode.Failed, "This role may not create or change the Catalog's tables. Set DATAXPIPE_MIGRATIONS_DB to an address of their owner.")
                : Say(ExitCode.Unreachable, SchemaProbe.Words(reason));
        }
    }

    private static int Say(int code, string message)
    {
        Console.Error.WriteLine($"catalog-migrations: {message}");
        return code;
    }
}
