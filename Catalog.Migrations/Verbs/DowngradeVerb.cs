using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class DowngradeVerb
{
    public static Command Command()
    {
        var target = new Argument<string>("target")
        {
            Description =
                "The revision to go back to (0001, 0001_initial), base for an empty schema, or -N to revert the last N scripts."
        };
        var again = LimitOptions.Again();
        var limits = new LimitOptions();
        var confirmation = new Confirmation();
        var command = Verb.On("downgrade",
            "Revert applied migrations, newest first. Data in the tables and columns that they created is lost; asks for the "
                + "database's name.",
            "downgrade -1\ndowngrade 0001_initial --yes --database catalog",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System,
                    limits.Read(arguments))
                { Progress = UpgradeVerb.Steps(output) };
                var undo = migrator.ScriptsToRevert(arguments.GetValue(target)!, await migrator.ReadStatus(ct));
                if (undo.Count > 0)
                {
                    confirmation.Ask(
                        arguments, await migrator.DatabaseName(ct),
                        $"This reverts {string.Join(", ", undo.Select(script => script.Revision))}. Data in the tables and "
                            + "columns that they created is lost.");
                }

                return await UpgradeVerb.Report(
                    migrator, await migrator.Downgrade(arguments.GetValue(target)!, arguments.GetValue(again), ct), output, ct);
            });
        command.Arguments.Add(target);
        confirmation.AddTo(command);
        command.Options.Add(again);
        limits.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
