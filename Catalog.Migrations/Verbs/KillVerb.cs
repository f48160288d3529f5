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
        var pid = new Argument<int>("pid") { Description = "The server process, as `catalog-migrations doctor` shows it." };
        var whole = new Option<bool>("--connection") { Description = "End the whole connection, not only its statement: for one that is idle in a transaction." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var command = Verb.On("kill",
            "End the statement of a server process of this database, or with --connection the connection. Shows it and asks before. Exits 0 when it has ended, 1 when it has not or this role may not, 2 when there is no such process to end.",
            "kill 4711\nkill 4711 --connection --yes",
            async (database, arguments, output, ct) =>
            {
                if (database.Settings.Engine == DatabaseEngine.Sqlite)
                {
                    throw new MigrationException(MigrationFault.UnknownTarget, "On SQLite there are no server processes: end the program that uses the file.");
                }

                await using var connection = await database.Source.OpenConnectionAsync(ct);
                var process = await PostgresProcesses.Find(connection, arguments.GetValue(pid), ct);
                var connectionToo = arguments.GetValue(whole);
                if (!connectionToo && process.State is not (null or "active"))
                {
                    throw new MigrationException(MigrationFault.UnknownTarget, $"Process {process.Pid} runs no statement now ({process.State}); to end its connection add --connection.");
                }

                output.Table([">pid", "user", "application", "state", ">age"],
                    [[process.Pid.ToString(CultureInfo.InvariantCulture), process.User, process.Application, process.State ?? "hidden", process.Seconds is { } seconds ? Quantity.Age(seconds) : null]]);
                output.Paragraph("  ", process.Query);
                Ask(Surroundings.Of(arguments), arguments.GetValue(yes), connectionToo, output);
                return Say(await PostgresProcesses.End(connection, process, connectionToo, ct), process, connectionToo, output);
            });
        command.Arguments.Add(pid);
        command.Options.Add(whole);
        command.Options.Add(yes);
        return command;
    }

    private static void Ask(Surroundings around, bool yes, bool connection, Output output)
    {
        if (yes)
        {
            return;
        }

        if (around.Input is null || output.Json)
        {
            throw new MigrationException(MigrationFault.NotConfirmed, "There is nobody to ask: add --yes. Nothing was ended.");
        }

        around.Error.Write(connection ? "End this connection, undoing its open transaction? [y/N] " : "End this statement, undoing its transaction? [y/N] ");
        if (around.Input.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
        {
            throw new MigrationException(MigrationFault.NotConfirmed, "Nothing was ended.");
        }
    }

    private static int Say(bool? ended, ServerProcess process, bool connection, Output output)
    {
        var what = connection ? "connection" : "statement";
        output.Line(ended switch
        {
            true => $"The {what} of process {process.Pid} has ended.",
            false => $"The {what} of process {process.Pid} was told to end and has not within 5 s: {(connection ? "it is undoing its work, or waits on the disk; look again with `catalog-migrations doctor`." : $"look again with `catalog-migrations doctor`, or end the connection with `catalog-migrations kill {process.Pid} --connection`.")}",
            null => $"The {what} of process {process.Pid} had ended by itself meanwhile; nothing was done.",
        });
        output.Document(new { process, what, ended = ended is not false, by_itself = ended is null });
        return ended is false ? ExitCode.Failed : ExitCode.Ok;
    }
}
