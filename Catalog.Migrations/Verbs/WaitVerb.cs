using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class WaitVerb
{
    public static Command Command()
    {
        var timeout = LimitOptions.Seconds("--timeout", TimeSpan.FromSeconds(60), "Seconds to wait.");
        var head = new Option<bool>("--head") { Description = "Wait until the schema is at head too, for one who serves and does not migrate." };
        var command = Verb.On("wait",
            "Wait until the database answers. A wrong password, a missing database or refused TLS ends it at once, because waiting does not help.",
            "wait\nwait --head --timeout 300",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System);
                var clock = Stopwatch.StartNew();
                var limit = TimeSpan.FromSeconds(arguments.GetValue(timeout));
                while (true)
                {
                    try
                    {
                        if (!arguments.GetValue(head))
                        {
                            // A login that may not read the journal may wait all the same.
                            await (await database.Reads.OpenConnectionAsync(ct)).DisposeAsync();
                            output.Line(string.Create(CultureInfo.InvariantCulture, $"answers after {clock.Elapsed.TotalSeconds:0.0} s"));
                            output.Document(new { seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) });
                            return ExitCode.Ok;
                        }

                        var standing = await migrator.ReadStatus(ct);
                        var exit = CurrentVerb.Exit(standing);
                        if (exit is not (ExitCode.Pending or ExitCode.HalfApplied) || clock.Elapsed > limit)
                        {
                            output.Line(string.Create(CultureInfo.InvariantCulture, $"answers after {clock.Elapsed.TotalSeconds:0.0} s, at {standing.Current}"));
                            output.Document(new { current = standing.Current, at_head = standing.Pending.Count == 0, seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) });
                            return exit;
                        }
                    }
                    catch (Exception exception) when (clock.Elapsed < limit
                        && database.Failures.WhyUnavailable(exception) is Unavailability.Unreachable or Unavailability.TimedOut or Unavailability.OutOfResources)
                    {
                        // Not there yet.
                    }

                    await Task.Delay(250, ct);
                }
            });
        command.Options.Add(timeout);
        command.Options.Add(head);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
