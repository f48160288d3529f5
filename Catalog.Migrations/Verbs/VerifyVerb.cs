using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class VerifyVerb
{
    public static Command Command()
    {
        var print = new Option<bool>("--print") { Description = "Print the live schema's description instead, as it is committed in sql/ENGINE/fingerprint/." };
        var command = Verb.On("verify",
            "Compare scripts, journal and live schema. Exits 0 when they agree, 3 when they do and scripts are pending, 4 when they do not, 6 when a script is half-applied.",
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

                var (standing, live, faults) = await Look(migrator, chain, ct);
                foreach (var (_, message) in faults)
                {
                    output.Line(message);
                }

                output.Line(faults.Count == 0
                    ? $"verified: {standing.Current}, fingerprint {SchemaDescription.Fingerprint(live)[..16]}{(standing.Pending.Count > 0 ? $", {standing.Pending.Count} pending" : "")}"
                    : $"not as it should be: {faults.Count} {(faults.Count == 1 ? "fault" : "faults")}");
                output.Document(new
                {
                    current = standing.Current,
                    fingerprint = SchemaDescription.Fingerprint(live),
                    pending = standing.Pending.Select(script => script.Revision),
                    faults = faults.Select(fault => new { code = fault.Code, message = fault.Message }),
                });
                return faults.Any(fault => fault.Code != "half_applied") ? ExitCode.Drift : CurrentVerb.Exit(standing);
            });
        command.Options.Add(print);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    /// <summary>Where a database stands, its live schema, and what scripts, journal and schema do not agree on.</summary>
    public static async Task<(SchemaStatus Standing, IReadOnlyList<string> Live, IReadOnlyList<(string Code, string Message)> Faults)> Look(Migrator migrator, Chain chain, CancellationToken ct)
    {
        var live = await migrator.Describe(ct);
        var standing = await migrator.ReadStatus(ct);
        var committed = standing.Position > 0 ? chain.Scripts[standing.Position - 1].Fingerprint : "";
        var invalid = await migrator.InvalidIndexes(ct);
        return (standing, live,
        [
            .. standing.Faults.Select(fault => (Output.Code(fault.Fault), fault.Message)),
            .. standing.HalfApplied.Select(script => ("half_applied", $"{script.Name} was begun and has not been seen to end; `catalog-migrations upgrade` finds out what is left of it.")),
            .. invalid.Select(index => ("invalid_index", $"Index {index} is invalid: its build was interrupted. `drop index concurrently {index}`, then build it again; if a script builds it, `catalog-migrations upgrade` does both.")),
            // Against what it should be only a schema that its journal explains can be held; one at base may hold other people's tables.
            .. standing.Faults.Count > 0 || standing.Position == 0 ? [] : committed is null
                ? [("drift", $"There is no committed description of {standing.Current}: write one with `catalog-migrations verify --print`.")]
                : SchemaDescription.Compare(committed, live).Select(difference => ("drift", difference)),
        ]);
    }
}
