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
        var head = new Option<bool>("--head")
        {
            Description = "Also wait until the schema is at head. For services that do not migrate the database themselves."
        };
        var command = Verb.On("wait",
            "Wait until the database answers. Fails at once on a wrong password, a missing database or refused TLS, because waiting "
                + "does not help.",
            "wait\nwait --head --timeout 300",
            (database, arguments, output, ct) => Run(
                database, new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System),
                TimeSpan.FromSeconds(arguments.GetValue(timeout)), arguments.GetValue(head), output, ct));
        command.Options.Add(timeout);
        command.Options.Add(head);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    private static async Task<int> Run(
        MigrationDatabase database, Migrator migrator, TimeSpan limit, bool head, Output output, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (!head)
                {
                    // This only connects, because the login can lack the privilege to read the journal.
                    await (await database.Reads.OpenConnectionAsync(ct)).DisposeAsync();
                    output.Line(string.Create(CultureInfo.InvariantCulture, $"answers after {clock.Elapsed.TotalSeconds:0.0} s"));
                    output.Document(new { seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) });
                    return ExitCode.Ok;
                }

                var status = await migrator.ReadStatus(ct);
                var exit = CurrentVerb.Exit(status);
                if (exit is not (ExitCode.Pending or ExitCode.HalfApplied) || clock.Elapsed > limit)
                {
                    output.Line(
                        string.Create(CultureInfo.InvariantCulture,
                            $"answers after {clock.Elapsed.TotalSeconds:0.0} s, at {status.Current}"));
                    output.Document(
                        new
                        {
                            current = status.Current,
                            at_head = status.Pending.Count == 0,
                            seconds = Math.Round(clock.Elapsed.TotalSeconds, 3)
                        });
                    return exit;
                }
            }
            catch (Exception exception) when (clock.Elapsed < limit
                && database.Failures.Classify(exception) is Unavailability.Unreachable or Unavailability.TimedOut
                    or Unavailability.OutOfResources)
            {
                // The database is not available yet; try again.
            }

            await Task.Delay(250, ct);
        }
    }
}
