using Catalog.Data.Database;
using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class ResetVerb
{
    public static Command Command()
    {
        var force = new Option<bool>("--force") { Description = "Also what other people have hung on the tables, and also without a journal that is known." };
        var confirmation = new Confirmation();
        var command = Verb.On("reset",
            "Take away everything that the scripts made, with all data, and apply them anew. For development; asks for the database's name.",
            "reset\nreset --yes --database catalog",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System) { Progress = UpgradeVerb.Steps(output), AppRole = DatabaseSettings.ReadAppRole(Verb.Settings(arguments)) };
                confirmation.Ask(arguments, await migrator.DatabaseName(ct), "This takes away every table of the Catalog with all it holds.");
                var cleared = await migrator.Clear(arguments.GetValue(force), ct);
                output.Line($"taken away: {string.Join(", ", cleared)}");
                return await UpgradeVerb.Say(migrator, await migrator.Upgrade(Chain.Head, again: false, ct), output, ct);
            });
        command.Options.Add(force);
        confirmation.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
