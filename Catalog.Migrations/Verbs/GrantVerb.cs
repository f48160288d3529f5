using System.CommandLine;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Migrations.Grants;

namespace Catalog.Migrations.Verbs;

internal static class GrantVerb
{
    public static Command Command()
    {
        var named = new Argument<string?>("role") { Description = "The role that the service's statements run as. Absent: DATAXPIPE_APP_ROLE, else catalog_app.", Arity = ArgumentArity.ZeroOrOne };
        var member = new Option<string?>("--member") { Description = "The login that may assume it. Absent: the user of the service's address.", HelpName = "LOGIN" };
        var print = new Option<bool>("--print") { Description = "Print the SQL and run none of it." };
        var command = Verb.On("grant",
            "Make the role that the service's statements run as where it is missing, give it what they need on every table, and let the service's login assume it. May be run again. Exits 1 and prints the SQL where this role may not.",
            "grant\ngrant catalog_app --member catalog_service\ngrant --print > grant.sql",
            async (database, arguments, output, ct) =>
            {
                if (database.Settings.Engine == DatabaseEngine.Sqlite)
                {
                    output.Line("SQLite has no roles: there is nothing to grant.");
                    output.Document(new { role = (string?)null, sql = "" });
                    return ExitCode.Ok;
                }

                var role = arguments.GetValue(named) is { } given ? PostgresGrants.ValidateRole("ROLE", given) : DatabaseSettings.ReadAppRole(Verb.Settings(arguments));
                var login = Login(arguments, arguments.GetValue(member), database);
                if (arguments.GetValue(print))
                {
                    var sql = PostgresGrants.AllStatements(role, login == role ? null : login);
                    output.Line(sql.TrimEnd());
                    output.Document(new { role, login, sql });
                    return ExitCode.Ok;
                }

                return Say(role, await PostgresRoleGrant.Run(database, role, login, ct), output);
            });
        command.Arguments.Add(named);
        command.Options.Add(member);
        command.Options.Add(print);
        return command;
    }

    // Null when the address names no user: then it is the one that the server sees.
    private static string? Login(ParseResult arguments, string? named, MigrationDatabase database)
    {
        var login = named ?? DatabaseSettings.Read(Verb.Settings(arguments)).User ?? database.Settings.User;
        return login is null || PostgresGrants.IsLogin(login)
            ? login
            : throw new SettingException($"{(named is null ? "The service's user" : "--member")} must be letters, digits and _ . @ $ -, beginning with a letter, at most 63.");
    }

    private static int Say(string role, Granted granted, Output output)
    {
        if (granted.Created)
        {
            output.Line($"made role {role}");
        }

        if (granted.Joined)
        {
            output.Line($"{granted.Login} may assume {role}");
        }

        if (granted.Needed is null)
        {
            output.Line($"{role} has what the service needs on {Quantity.Of(granted.Tables, "table", "tables")}{(granted.Created || granted.Joined ? "" : $", and {granted.Login} may assume it")}");
        }
        else
        {
            output.Progress("This role may not do all of it. Let an administrator run the following in this database, then run `catalog-migrations grant` again:");
            output.Line(granted.Needed.TrimEnd());
        }

        output.Document(new { role, login = granted.Login, created = granted.Created, joined = granted.Joined, tables = granted.Tables, sql = granted.Needed });
        return granted.Needed is null ? ExitCode.Ok : ExitCode.Failed;
    }
}
