using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Doctor;

namespace Catalog.Migrations.Verbs;

internal static class KillVerb
{
    public static Command Command()
    {
        var pid = new Argument<int>("pid") { Description = "The process id, as shown by `catalog-migrations doctor`." };
        var whole = new Option<bool>("--connection")
        {
            Description = "End the whole connection instead of its statement, for example when it is idle in a transaction."
        };
        var yes = new Option<bool>("--yes") { Description = "Do not ask for confirmation." };
        var command = Verb.On("kill",
            "Cancel the statement of a server process of this database, or end its connection with --connection. Shows the process "
                + "and asks first. Exits 0 when it has ended, 1 when it has not ended or permission is missing, 2 when there is no "
                + "such process.",
            "kill 4711\nkill 4711 --connection --yes",
            async (database, arguments, output, ct) =>
            {
                if (database.Settings.Engine == DatabaseEngine.Sqlite)
                {
                    throw new MigrationException(
                        MigrationFault.UnknownTarget, "SQLite has no server processes: end the program that uses the file.");
                }

                await using var connection = await database.Source.OpenConnectionAsync(ct);
                var process = await PostgresProcesses.Find(connection, arguments.GetValue(pid), ct);
                var connectionToo = arguments.GetValue(whole);
                if (!connectionToo && process.State is not (null or "active"))
                {
                    throw new MigrationException(MigrationFault.UnknownTarget,
                        $"Process {process.Pid} runs no statement now ({process.State}). To end its connection, add --connection.");
                }

                output.Table([">pid", "user", "application", "state", ">age"],
                    [[process.Pid.ToString(CultureInfo.InvariantCulture), process.User, process.Application, process.State ?? "hidden",
                        process.Seconds is { } seconds ? Quantity.Age(seconds) : null]]);
                output.Paragraph("  ", process.Query);
                Confirm(ConsoleContext.Of(arguments), arguments.GetValue(yes), connectionToo, output);
                return Report(await PostgresProcesses.End(connection, process, connectionToo, ct), process, connectionToo, output);
            });
        command.Arguments.Add(pid);
        command.Options.Add(whole);
        command.Options.Add(yes);
        return command;
    }

    private static void Confirm(ConsoleContext context, bool yes, bool connection, Output output)
    {
        if (yes)
        {
            return;
        }

        if (context.Input is null || output.Json)
        {
            throw new MigrationException(MigrationFault.NotConfirmed,
                "Confirmation is not possible without a terminal or with --json: add --yes. Nothing was ended.");
        }

        context.Error.Write(connection
            ? "End this connection and roll back its open transaction? [y/N] "
                : "Cancel this statement and roll back its transaction? [y/N] ");
        if (context.Input.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
        {
            throw new MigrationException(MigrationFault.NotConfirmed, "Nothing was ended.");
        }
    }

    private static int Report(bool? ended, ServerProcess process, bool connection, Output output)
    {
        var what = connection ? "connection" : "statement";
        output.Line(ended switch
        {
            true => $"The {what} of process {process.Pid} has ended.",
            false => $"The {what} of process {process.Pid} has not ended within 5 s of the request: "
                + $"{(connection ? "it is rolling back or waiting for the disk. Check again with `catalog-migrations doctor`." : $"check again with `catalog-migrations doctor`, or end the connection with `catalog-migrations kill {process.Pid} --connection`.")}",
            null => $"The {what} of process {process.Pid} had already ended; nothing was done.",
        });
        output.Document(new { process, what, ended = ended is not false, by_itself = ended is null });
        return ended is false ? ExitCode.Failed : ExitCode.Ok;
    }
}
