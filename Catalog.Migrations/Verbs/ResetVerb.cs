using System.CommandLine;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class ResetVerb
{
    public static Command Command()
    {
        var force = new Option<bool>("--force")
        {
            Description = "Also drop dependent objects that the scripts did not create, and also reset without a known journal."
        };
        var confirmation = new Confirmation();
        var command = Verb.On("reset",
            "Drop everything that the scripts created, with all data, and apply all scripts again. For development; asks for the "
                + "database's name.",
            "reset\nreset --yes --database catalog",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System)
                {
                    Progress = UpgradeVerb.Steps(output),
                    AppRole = DatabaseSettings.ReadAppRole(Verb.Settings(arguments))
                };
                confirmation.Ask(arguments, await migrator.DatabaseName(ct), "This drops every table of the Catalog with all its data.");
                var cleared = await migrator.Clear(arguments.GetValue(force), ct);
                output.Line($"dropped: {string.Join(", ", cleared)}");
                return await UpgradeVerb.Report(migrator, await migrator.Upgrade(Chain.Head, again: false, ct), output, ct);
            });
        command.Options.Add(force);
        confirmation.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }
}
