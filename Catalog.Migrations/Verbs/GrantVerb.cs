using System.CommandLine;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;
using Catalog.Migrations.Grants;

namespace Catalog.Migrations.Verbs;

internal static class GrantVerb
{
    public static Command Command()
    {
        var named = new Argument<string?>("role")
        {
            Description = "The role that the service's statements run as. Default: DATAXPIPE_APP_ROLE, else catalog_app.",
            Arity = ArgumentArity.ZeroOrOne
        };
        var member = new Option<string?>("--member")
        {
            Description = "The login that becomes a member of the role. Default: the user of the service's address.",
            HelpName = "LOGIN"
        };
        var print = new Option<bool>("--print") { Description = "Print the SQL without running it." };
        var command = Verb.On("grant",
            "Create the role for the service's statements if it is missing, grant it the privileges on every table, and make the "
                + "service's login a member. Safe to run again. Exits 1 and prints the SQL when the current role lacks the privileges "
                + "to do so.",
            "grant\ngrant catalog_app --member catalog_service\ngrant --print > grant.sql",
            async (database, arguments, output, ct) =>
            {
                if (database.Settings.Engine == DatabaseEngine.Sqlite)
                {
                    output.Line("SQLite has no roles: there is nothing to grant.");
                    output.Document(new { role = (string?)null, sql = "" });
                    return ExitCode.Ok;
                }

                var role = arguments.GetValue(named) is { } given
                    ? PostgresGrants.ValidateRole("ROLE", given) : DatabaseSettings.ReadAppRole(Verb.Settings(arguments));
                var login = Login(arguments, arguments.GetValue(member), database);
                if (arguments.GetValue(print))
                {
                    var sql = PostgresGrants.AllStatements(role, login == role ? null : login);
                    output.Line(sql.TrimEnd());
                    output.Document(new { role, login, sql });
                    return ExitCode.Ok;
                }

                return Report(role, await PostgresRoleGrant.Run(database, role, login, ct), output);
            });
        command.Arguments.Add(named);
        command.Options.Add(member);
        command.Options.Add(print);
        return command;
    }

    // Returns null if no login is named and the address has no user. Then the session's user is the login.
    private static string? Login(ParseResult arguments, string? named, MigrationDatabase database)
    {
        var login = named ?? DatabaseSettings.Read(Verb.Settings(arguments)).User ?? database.Settings.User;
        return login is null || PostgresGrants.IsLogin(login)
            ? login
            : throw new SettingException(
                $"{(named is null ? "The service's user" : "--member")} must begin with a letter and have at most 63 characters: "
                    + "letters, digits and _ . @ $ -.");
    }

    private static int Report(string role, Granted granted, Output output)
    {
        if (granted.Created)
        {
            output.Line($"created role {role}");
        }

        if (granted.Joined)
        {
            output.Line($"made {granted.Login} a member of {role}");
        }

        if (granted.Needed is null)
        {
            output.Line(
                $"{role} has the required privileges on "
                    + $"{Quantity.Of(granted.Tables, "table", "tables")}{(granted.Created || granted.Joined ? "" : $", and {granted.Login} is a member")}");
        }
        else
        {
            output.Progress(
                $"The current role lacks the privileges to create {role} or to make {granted.Login} a member. "
                    + "Ask an administrator to run this SQL in this database, then run `catalog-migrations grant` again:");
            output.Line(granted.Needed.TrimEnd());
        }

        output.Document(new
        {
            role,
            login = granted.Login,
            created = granted.Created,
            joined = granted.Joined,
            tables = granted.Tables,
            sql = granted.Needed
        });
        return granted.Needed is null ? ExitCode.Ok : ExitCode.Failed;
    }
}
