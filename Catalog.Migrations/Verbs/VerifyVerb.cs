using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class VerifyVerb
{
    public static Command Command()
    {
        var print = new Option<bool>("--print")
        {
            Description = "Print the description of the live schema instead, in the format of sql/ENGINE/fingerprint/."
        };
        var command = Verb.On("verify",
            "Compare scripts, journal and live schema. Exits 0 when they agree, 3 when they agree and scripts are pending, 4 when "
                + "they differ, 6 when a script is half-applied.",
            "verify\nverify --json\nverify --print > sql/postgres/fingerprint/0015_runs_of_pipelines_by_end.txt",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var migrator = new Migrator(database, chain, TimeProvider.System);
                if (arguments.GetValue(print))
                {
                    var described = await migrator.Describe(ct);
                    output.Line(string.Join('\n', described));
                    output.Document(new { fingerprint = SchemaDescription.Fingerprint(described), lines = described });
                    return ExitCode.Ok;
                }

                var (status, live, faults) = await Compare(migrator, chain, ct);
                foreach (var (_, message) in faults)
                {
                    output.Line(message);
                }

                output.Line(faults.Count == 0
                    ? $"verified: {status.Current}, fingerprint "
                        + $"{SchemaDescription.Fingerprint(live)[..16]}{(status.Pending.Count > 0 ? $", {status.Pending.Count} pending" : "")}"
                    : $"not verified: {faults.Count} {(faults.Count == 1 ? "fault" : "faults")}"
                        + (faults.Any(fault => fault.Message.StartsWith("missing: ", StringComparison.Ordinal)
                            || fault.Message.StartsWith("unexpected: ", StringComparison.Ordinal))
                            ? ". An object is missing if only the scripts have it, and unexpected if only the database has it: correct "
                                + "the database, or write the change as a new script."
                            : ""));
                output.Document(new
                {
                    current = status.Current,
                    fingerprint = SchemaDescription.Fingerprint(live),
                    pending = status.Pending.Select(script => script.Revision),
                    faults = faults.Select(fault => new { code = fault.Code, message = fault.Message }),
                });
                return faults.Any(fault => fault.Code != "half_applied") ? ExitCode.Drift : CurrentVerb.Exit(status);
            });
        command.Options.Add(print);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    /// <summary>
    /// Reads the status and the live schema of a database, and lists the differences between scripts, journal and live
    /// schema.
    /// </summary>
    public static async Task<(SchemaStatus Status, IReadOnlyList<string> Live,
        IReadOnlyList<(string Code, string Message)> Faults)> Compare(Migrator migrator, Chain chain, CancellationToken ct)
    {
        var live = await migrator.Describe(ct);
        var status = await migrator.ReadStatus(ct);
        var committed = status.Position > 0 ? chain.Scripts[status.Position - 1].Fingerprint : "";
        var invalid = await migrator.InvalidIndexes(ct);
        return (status, live,
        [
            .. status.Faults.Select(fault => (Output.Code(fault.Fault), fault.Message)),
            .. status.HalfApplied.Select(script =>
                ("half_applied",
                    $"{script.Name} was started but its end is not recorded. Run the interrupted `catalog-migrations upgrade` or "
                        + "`downgrade` again.")),
            .. invalid.Select(index =>
                ("invalid_index", $"Index {index} is invalid: its build was interrupted. Run `drop index concurrently {index}` and "
                    + "build it again. If a script builds it, `catalog-migrations upgrade` does both.")),
            // The schema is compared only if the migration journal has no fault and at least one script is applied. A
            // database without applied scripts can contain tables of other programs.
            .. status.Faults.Count > 0 || status.Position == 0 ? [] : committed is null
                ? [("drift", $"The description of {status.Current} is missing: create it with `catalog-migrations verify --print`.")]
                : SchemaDescription.Compare(committed, live).Select(difference => ("drift", difference)),
        ]);
    }
}
