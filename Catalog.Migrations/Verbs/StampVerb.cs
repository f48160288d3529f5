using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class StampVerb
{
    public static Command Command()
    {
        var target = new Argument<string>("revision") { Description = "The revision that the database is at, head, or base for none." };
        var force = new Option<bool>("--force") { Description = "Also when the live schema is not the one of that revision, and when the journal names scripts that this build does not know." };
        var confirmation = new Confirmation();
        var command = Verb.On("stamp",
            "Write down that the database is at a revision without running a script: for a schema that was made by hand, by psql or by another tool.",
            "stamp 0001_initial --yes --database catalog\nstamp base",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var migrator = new Migrator(database, chain, TimeProvider.System) { Progress = UpgradeVerb.Steps(output) };
                var standing = await migrator.ReadStatus(ct);
                var place = chain.Position(arguments.GetValue(target)!, standing.Position);
                confirmation.Ask(arguments, await migrator.DatabaseName(ct), $"This writes down that the database, now at {standing.Current}, is at {chain.RevisionAt(place)}, and runs no script.");
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
