using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class DowngradeVerb
{
    public static Command Command()
    {
        var target = new Argument<string>("target") { Description = "The revision that is left (0001, 0001_initial), base for none, or -N for the last N scripts." };
        var again = LimitOptions.Again();
        var limits = new LimitOptions();
        var confirmation = new Confirmation();
        var command = Verb.On("downgrade",
            "Take scripts back, newest first. What they had stored is lost; asks for the database's name.",
            "downgrade -1\ndowngrade 0001_initial --yes --database catalog",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System, limits.Read(arguments)) { Progress = UpgradeVerb.Steps(output) };
                var undo = migrator.ScriptsToRevert(arguments.GetValue(target)!, await migrator.ReadStatus(ct));
                if (undo.Count > 0)
                {
                    confirmation.Ask(arguments, await migrator.DatabaseName(ct), $"This takes back {string.Join(", ", undo.Select(script => script.Revision))}, and what they stored is lost.");
                }

                return await UpgradeVerb.Say(migrator, await migrator.Downgrade(arguments.GetValue(target)!, arguments.GetValue(again), ct), output, ct);
            });
        command.Arguments.Add(target);
        confirmation.AddTo(command);
        command.Options.Add(again);
        limits.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
