using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class CurrentVerb
{
    public static Command Command()
    {
        var command = Verb.On("current",
            "Show the revision of the database. Exits 0 at head, 3 when scripts are pending, 4 on a fault, 6 when a script is "
                + "half-applied.",
            "current\ncurrent --json",
            async (database, arguments, output, ct) =>
            {
                var status = await new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System)
                    .ReadStatus(ct);
                output.Line(status.Current);
                foreach (var script in status.Pending)
                {
                    output.Line($"pending {script.Revision}");
                }

                if (status.Holder is { } holder)
                {
                    output.Line($"migrating now: {holder}");
                }

                foreach (var script in status.HalfApplied)
                {
                    output.Line(status.Holder is null
                        ? $"half-applied {script.Revision}: run the interrupted `catalog-migrations upgrade` or `downgrade` again"
                            : $"in progress {script.Revision}");
                }

                foreach (var fault in status.Faults)
                {
                    output.Line($"fault: {fault.Message}");
                }

                output.Document(new
                {
                    database = database.Settings.Display,
                    current = status.Current,
                    pending = status.Pending.Select(script => script.Revision),
                    half_applied = status.HalfApplied.Select(script => script.Revision),
                    faults = status.Faults.Select(fault => new { code = fault.Fault, message = fault.Message }),
                    holder = status.Holder,
                });
                return Exit(status);
            });
        command.Options.Add(Verb.Scripts);
        return command;
    }

    /// <summary>Returns the exit code for a schema status: the most serious condition decides.</summary>
    public static int Exit(SchemaStatus status) =>
        status.Faults.Count > 0 ? ExitCode.Drift
        : status.HalfApplied.Count > 0 && status.Holder is null ? ExitCode.HalfApplied
        : status.Pending.Count > 0 ? ExitCode.Pending
        : ExitCode.Ok;
}
