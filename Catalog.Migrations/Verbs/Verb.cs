using System.CommandLine;
using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Verbs;

/// <summary>What every verb has around its own work: its help with an example, its output, and words and an exit code for what goes wrong.</summary>
internal static class Verb
{
    /// <summary>Of every verb.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON document instead of text.", Recursive = true };

    /// <summary>Of the verbs that read scripts.</summary>
    public static readonly Option<string?> Scripts = new("--scripts")
    {
        Description = "Read scripts from this directory (which holds postgres/ and sqlite/) instead of those built into this program.",
        HelpName = "DIRECTORY",
    };

    /// <summary>A verb that works without a database.</summary>
    /// <param name="name">As it is typed.</param>
    /// <param name="description">One sentence for the list of verbs, then what else help says.</param>
    /// <param name="example">Arguments after the program's name, one line each.</param>
    /// <param name="work">Returns the exit code.</param>
    public static Command On(string name, string description, string example, Func<ParseResult, Output, CancellationToken, Task<int>> work)
    {
        var command = new Command(name, description);
        Examples.Add(command, example);
        command.SetAction((arguments, ct) => Run(arguments, null, work, ct));
        return command;
    }

    /// <summary>A verb over the database that the migrator is set to, or another that its arguments name.</summary>
    /// <inheritdoc cref="On(string, string, string, Func{ParseResult, Output, CancellationToken, Task{int}})" path="/param"/>
    public static Command On(string name, string description, string example, Func<MigrationDatabase, ParseResult, Output, CancellationToken, Task<int>> work,
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

    /// <summary>The examples that help shows, by verb.</summary>
    public static Dictionary<Command, string> Examples { get; } = [];

    /// <summary>What the environment says.</summary>
    public static IConfiguration Settings(ParseResult arguments) => Surroundings.Of(arguments).Settings;

    /// <summary>The scripts that the arguments name for an engine, else the built-in ones.</summary>
    public static Chain Chain(ParseResult arguments, string folder) =>
        arguments.GetValue(Scripts) is { } directory ? Catalog.Data.Migrations.Chain.From(directory, folder) : Catalog.Data.Migrations.Chain.BuiltIn(folder);

    // A table or column that is missing is a fault of the schema, and a right that is missing one of the role: the server was reached.
    private static Unavailability? Unavailable(MigrationDatabase database, Exception exception) =>
        database.Failures.WhyUnavailable(exception) is { } reason and not (Unavailability.SchemaBehind or Unavailability.NotPermitted) ? reason : null;

    private static async Task<int> Run(
        ParseResult arguments, Func<MigrationDatabase?>? database, Func<ParseResult, Output, CancellationToken, Task<int>> work, CancellationToken ct)
    {
        var output = new Output(Surroundings.Of(arguments), arguments.GetValue(Json));
        int Say(int code, string word, string message)
        {
            output.Error(word, message);
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
            return Say(ExitCode.Usage, "setting", exception.Message);
        }
        catch (MigrationException exception)
        {
            return Say(ExitCode.For(exception.Fault), Output.Code(exception.Fault), exception.Message);
        }
        catch (BackupException exception)
        {
            return Say(exception.Exit, exception.Code, exception.Message);
        }
        catch (OperationCanceledException)
        {
            return Say(ExitCode.Failed, "interrupted", "Interrupted. A script in a transaction was undone; run `catalog-migrations current` to see where the database stands.");
        }
        // Of a driver they come wrapped; bare they are about a file or a pipe of ours.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Say(ExitCode.Failed, "file", exception.Message);
        }
        catch (Exception exception) when (exception is DbException or TimeoutException && database?.Invoke() is { } at && Unavailable(at, exception) is { } reason)
        {
            return Say(ExitCode.Unreachable, Output.Code(reason), Databases.WhyUnreachable(at.Settings, exception) ?? SchemaProbe.Describe(reason));
        }
        catch (DbException exception) when (database?.Invoke() is { } at && at.Dialect.Explain(exception) is var said)
        {
            return said.NotPermitted
                ? Say(ExitCode.Failed, Output.Code(Unavailability.NotPermitted), $"This role may not do that: {said.Message}. Set DATAXPIPE_MIGRATIONS_DB to an address of the tables' owner.")
                : Say(ExitCode.Failed, "database", said.Message);
        }
        catch (Exception exception)
        {
            // A defect of this program. Its text may hold what nobody may see; a type's name holds nothing.
            return Say(ExitCode.Failed, "internal", $"An error that nobody foresaw: {exception.GetType().Name}. A script in a transaction was undone. Please report it with the command and the scripts.");
        }
    }
}
