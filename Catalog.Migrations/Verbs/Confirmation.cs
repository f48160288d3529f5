using System.CommandLine;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;

namespace Catalog.Migrations.Verbs;

/// <summary>The confirmation of a verb that can destroy data or history: the operator types or passes the database's name.</summary>
internal sealed class Confirmation
{
    private static readonly string[] Environments = ["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];
    private readonly Option<bool> _yes = new("--yes") { Description = "Do not ask for confirmation; requires --database." };
    private readonly Option<string?> _database = new("--database")
    {
        Description = "Confirms the command: the name of the database, or of the SQLite file.",
        HelpName = "NAME"
    };
    private readonly Option<bool> _production = new("--production")
    {
        Description = "Allow this when DOTNET_ENVIRONMENT or ASPNETCORE_ENVIRONMENT is Production."
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_yes);
        command.Options.Add(_database);
        command.Options.Add(_production);
    }

    /// <summary>
    /// Asks for the database's name. With <c>--yes</c>, takes the name from <c>--database</c> instead. Returns only if
    /// the name is right.
    /// </summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="name">The database's name.</param>
    /// <param name="consequence">A sentence that describes what will happen.</param>
    /// <exception cref="MigrationException">The name is wrong or missing, or the environment is Production and
    /// <c>--production</c> is missing.</exception>
    public void Ask(ParseResult arguments, string name, string consequence)
    {
        var settings = Verb.Settings(arguments);
        if (Environments.Any(name => string.Equals(Setting.Text(settings, name), "Production", StringComparison.OrdinalIgnoreCase))
            && !arguments.GetValue(_production))
        {
            throw new MigrationException(
                MigrationFault.NotConfirmed, $"The environment is Production. {consequence} To continue, add --production.");
        }

        var given = arguments.GetValue(_database);
        if (!arguments.GetValue(_yes))
        {
            var context = ConsoleContext.Of(arguments);
            if (context.Input is null)
            {
                throw new MigrationException(
                    MigrationFault.NotConfirmed, $"{consequence} To continue, add --yes --database NAME with the database's name.");
            }

            context.Error.WriteLine(consequence);
            context.Error.Write($"Type the database's name ({name}) to continue: ");
            given = context.Input.ReadLine()?.Trim();
        }

        if (given != name)
        {
            throw new MigrationException(MigrationFault.NotConfirmed,
                string.IsNullOrEmpty(given)
                    ? "Nothing was changed. Add --database NAME with the database's name." : $"The database is named {name}, not {given}. Nothing was changed.");
        }
    }
}
