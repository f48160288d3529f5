using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class CurrentVerb
{
    public static Command Command()
    {
        var command = Verb.On("current",
            "Say which revision the database is at. Exits 0 at head and 3 when scripts are pending, so that a pipeline need not read the text.",
            "current\ncurrent --json",
            async (database, arguments, output, ct) =>
            {
                var standing = await new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System).ReadStatus(ct);
                output.Line(standing.Current);
                foreach (var script in standing.Pending)
                {
                    output.Line($"pending {script.Revision}");
                }

                if (standing.Holder is { } holder)
                {
                    output.Line($"at work: {holder}");
                }

                foreach (var script in standing.HalfApplied)
                {
                    output.Line(standing.Holder is null ? $"half-applied {script.Revision}: `catalog-migrations upgrade` finds out what is left of it" : $"in progress {script.Revision}");
                }

                foreach (var fault in standing.Faults)
                {
                    output.Line($"fault: {fault.Message}");
                }

                output.Document(new
                {
                    database = database.Settings.Display,
                    current = standing.Current,
                    pending = standing.Pending.Select(script => script.Revision),
                    half_applied = standing.HalfApplied.Select(script => script.Revision),
                    faults = standing.Faults.Select(fault => new { code = fault.Fault, message = fault.Message }),
                    holder = standing.Holder,
                });
                return Exit(standing);
            });
        command.Options.Add(Verb.Scripts);
        return command;
    }

    /// <summary>The gravest first: what must be mended, then what must be applied.</summary>
    public static int Exit(SchemaStatus standing) =>
        standing.Faults.Count > 0 ? ExitCode.Drift
        : standing.HalfApplied.Count > 0 && standing.Holder is null ? ExitCode.HalfApplied
        : standing.Pending.Count > 0 ? ExitCode.Pending
        : ExitCode.Ok;
}
