using System.CommandLine;
using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;
using Catalog.Migrations.Backup;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Verbs;

/// <summary>
/// Creates the commands of the verbs. Each command has help with examples. It turns an exception into an error message
/// and an exit code.
/// </summary>
internal static class Verb
{
    /// <summary>The option <c>--json</c> of every verb.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON document instead of text.", Recursive = true };

    /// <summary>The option <c>--scripts</c> of the verbs that read scripts.</summary>
    public static readonly Option<string?> Scripts = new("--scripts")
    {
        Description =
            "Read scripts from this directory, which contains postgres/ and sqlite/. Default: the scripts built into this program.",
        HelpName = "DIRECTORY",
    };

    /// <summary>Creates a verb that needs no database.</summary>
    /// <param name="name">The name on the command line.</param>
    /// <param name="description">The help text; its first sentence also appears in the hint for an unknown verb.</param>
    /// <param name="example">Examples without the program's name, one per line.</param>
    /// <param name="work">Runs the verb and returns the exit code.</param>
    public static Command On(string name, string description, string example, Func<ParseResult, Output, CancellationToken, Task<int>> work)
    {
        var command = new Command(name, description);
        Examples.Add(command, example);
        command.SetAction((arguments, ct) => Run(arguments, null, work, ct));
        return command;
    }

    /// <summary>
    /// Creates a verb that works on a database. By default, this is the database of the migrator's settings.
    /// </summary>
    /// <inheritdoc cref="On(string, string, string, Func{ParseResult, Output, CancellationToken, Task{int}})" path="/param"/>
    public static Command On(string name, string description, string example,
        Func<MigrationDatabase, ParseResult, Output, CancellationToken, Task<int>> work,
        Func<ParseResult, DatabaseSettings>? which = null)
    {
        var command = new Command(name, description);
        Examples.Add(command, example);
        command.SetAction(async (arguments, ct) =>
        {
            MigrationDatabase? database = null;
            try
            {
                return await Run(arguments, () => database, async (_, output, stop) =>
                {
                    var settings = which?.Invoke(arguments) ?? DatabaseSettings.ReadForMigrations(Settings(arguments));
                    if (settings.IgnoredWarning is { } leftOut)
                    {
                        output.Progress($"catalog-migrations: {leftOut}");
                    }

                    if (settings.SqlitePath is { } file)
                    {
                        FileRights.RequireReadable(file);
                    }

                    database = MigrationDatabase.Open(settings);
                    return await work(database, arguments, output, stop);
                }, ct);
            }
            finally
            {
                await (database?.DisposeAsync() ?? ValueTask.CompletedTask);
            }
        });
        return command;
    }

    /// <summary>The examples in the help, by verb.</summary>
    public static Dictionary<Command, string> Examples { get; } = [];

    /// <summary>Returns the settings of the run.</summary>
    public static IConfiguration Settings(ParseResult arguments) => ConsoleContext.Of(arguments).Settings;

    /// <summary>Returns an engine's scripts: from <c>--scripts</c> if given, else the built-in ones.</summary>
    public static Chain Chain(ParseResult arguments, string folder) =>
        arguments.GetValue(Scripts) is { } directory
            ? Catalog.Data.Migrations.Chain.From(directory, folder) : Catalog.Data.Migrations.Chain.BuiltIn(folder);

    // Returns null if a table, column or privilege is missing: the server answered, so the database is not unreachable.
    private static Unavailability? Unavailable(MigrationDatabase database, Exception exception) =>
        database.Failures.Classify(exception) is { } reason and not (Unavailability.SchemaBehind or Unavailability.NotPermitted)
            ? reason : null;

    private static async Task<int> Run(
        ParseResult arguments, Func<MigrationDatabase?>? database, Func<ParseResult, Output, CancellationToken, Task<int>> work,
        CancellationToken ct)
    {
        var output = new Output(ConsoleContext.Of(arguments), arguments.GetValue(Json));
        int Fail(int code, string errorCode, string message)
        {
            output.Error(errorCode, message);
            return code;
        }

        foreach (var warning in KnownSettings.UnknownWarnings(Settings(arguments)))
        {
            output.Progress($"catalog-migrations: {warning}");
        }

        try
        {
            return await work(arguments, output, ct);
        }
        catch (SettingException exception)
        {
            return Fail(ExitCode.Usage, "setting", exception.Message);
        }
        catch (MigrationException exception)
        {
            return Fail(ExitCode.For(exception.Fault), Output.Code(exception.Fault), exception.Message);
        }
        catch (BackupException exception)
        {
            return Fail(exception.Exit, exception.Code, exception.Message);
        }
        catch (OperationCanceledException)
        {
            return Fail(ExitCode.Failed, "interrupted",
                "Interrupted. A script that was running in a transaction was rolled back. Run `catalog-migrations current` to see the "
                    + "database's revision.");
        }
        // Drivers wrap these exceptions in a DbException. So an unwrapped exception is about a file or pipe of this
        // program.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Fail(ExitCode.Failed, "file", exception.Message);
        }
        catch (Exception exception) when (exception is DbException or TimeoutException && database?.Invoke() is { } at
            && Unavailable(at, exception) is { } reason)
        {
            return Fail(ExitCode.Unreachable, Output.Code(reason), DatabaseFactory.DescribeFailure(at.Settings, exception)
                ?? SchemaProbe.Describe(reason));
        }
        catch (DbException exception) when (database?.Invoke() is { } at && at.Dialect.Explain(exception) is var explained)
        {
            return explained.NotPermitted
                ? Fail(ExitCode.Failed, Output.Code(Unavailability.NotPermitted),
                    $"The current role lacks a privilege: {explained.Message}. Set DATAXPIPE_MIGRATIONS_DB to an address with the "
                        + "owner of the tables as user.")
                : Fail(ExitCode.Failed, "database",
                    $"The database reported an error: {explained.Message}. Run `catalog-migrations doctor` to find the cause.");
        }
        catch (Exception exception)
        {
            // This is a defect of the program. The message of the exception can contain secrets, so only its type is
            // printed.
            return Fail(
                ExitCode.Failed, "internal",
                $"This program has a defect ({exception.GetType().Name}). A script that was running in a transaction was rolled back. "
                    + "Report the defect with the command and the scripts.");
        }
    }
}
