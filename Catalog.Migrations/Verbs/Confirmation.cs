using System.CommandLine;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

/// <summary>What a verb asks that can destroy data or history: the database's name, typed or given.</summary>
internal sealed class Confirmation
{
    private static readonly string[] Environments = ["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];
    private readonly Option<bool> _yes = new("--yes") { Description = "Do not ask; needs --database." };
    private readonly Option<string?> _database = new("--database") { Description = "The database's name (on SQLite the file's), to show that you mean this one.", HelpName = "NAME" };
    private readonly Option<bool> _production = new("--production") { Description = "Also where DOTNET_ENVIRONMENT or ASPNETCORE_ENVIRONMENT says Production." };

    public void AddTo(Command command)
    {
        command.Options.Add(_yes);
        command.Options.Add(_database);
        command.Options.Add(_production);
    }

    /// <summary>Returns when the name was given; otherwise throws.</summary>
    /// <param name="arguments">Holds the options.</param>
    /// <param name="name">The database's name.</param>
    /// <param name="consequence">What will happen, as a sentence.</param>
    /// <exception cref="MigrationException">Another name, none, or a production that was not named.</exception>
    public void Ask(ParseResult arguments, string name, string consequence)
    {
        var settings = Verb.Settings(arguments);
        if (Environments.Any(name => string.Equals(Setting.Text(settings, name), "Production", StringComparison.OrdinalIgnoreCase))
            && !arguments.GetValue(_production))
        {
            throw new MigrationException(MigrationFault.NotConfirmed, $"The environment says Production. {consequence} If you mean it, add --production.");
        }

        var given = arguments.GetValue(_database);
        if (!arguments.GetValue(_yes))
        {
            var around = Surroundings.Of(arguments);
            if (around.Input is null)
            {
                throw new MigrationException(MigrationFault.NotConfirmed, $"{consequence} If you mean it, add --yes --database NAME with the database's name.");
            }

            around.Error.WriteLine(consequence);
            around.Error.Write($"Type the database's name ({name}) to go on: ");
            given = around.Input.ReadLine()?.Trim();
        }

        if (given != name)
        {
            throw new MigrationException(MigrationFault.NotConfirmed,
                given is null ? "Add --database NAME with the database's name." : $"The database is called {name}, not {given}. Nothing was changed.");
        }
    }
}
