using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations;

internal static class Reset
{
    public static Command Command()
    {
        var confirmation = new Confirmation();
        var command = Verb.On("reset",
            "Take away everything that the scripts made, with all data, and apply them anew. For development; asks for the database's name.",
            "reset\nreset --yes --database catalog",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System) { Progress = Upgrade.Steps(output), AppRole = Grant.Role(Verb.Settings()) };
                confirmation.Ask(arguments, await migrator.DatabaseName(ct), "This takes away every table of the Catalog with all it holds.");
                var cleared = await migrator.Clear(ct);
                output.Line($"taken away: {string.Join(", ", cleared)}");
                return await Upgrade.Say(migrator, await migrator.Upgrade(Chain.Head, again: false, ct), output, ct);
            });
        confirmation.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
