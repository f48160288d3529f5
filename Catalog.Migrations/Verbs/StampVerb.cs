using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class StampVerb
{
    public static Command Command()
    {
        var target = new Argument<string>("revision") { Description = "The revision of the database, head, or base for an empty schema." };
        var force = new Option<bool>("--force")
        {
            Description =
                "Also when the live schema differs from that revision, or when the journal contains scripts unknown to this build."
        };
        var confirmation = new Confirmation();
        var command = Verb.On("stamp",
            "Record in the journal that the database is at a revision, without running a script. For a schema created by hand, by "
                + "psql or by another tool.",
            "stamp 0001_initial --yes --database catalog\nstamp base",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var migrator = new Migrator(database, chain, TimeProvider.System) { Progress = UpgradeVerb.Steps(output) };
                var status = await migrator.ReadStatus(ct);
                var place = chain.Position(arguments.GetValue(target)!, status.Position);
                confirmation.Ask(arguments, await migrator.DatabaseName(ct),
                    $"This records that the database, now at {status.Current}, is at {chain.RevisionAt(place)}. No script runs.");
                var current = await migrator.Stamp(arguments.GetValue(target)!, arguments.GetValue(force), ct);
                output.Line($"stamped {current}");
                output.Document(new { current });
                return ExitCode.Ok;
            });
        command.Arguments.Add(target);
        command.Options.Add(force);
        confirmation.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
