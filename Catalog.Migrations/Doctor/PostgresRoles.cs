using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Database.Postgres;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Checks the role that the service's statements run as: row-level security must apply to it.</summary>
internal static class PostgresRoles
{
    public static async Task Check(DbConnection connection, Client service, DoctorReport report, CancellationToken ct)
    {
        var login = service.Place?.Login;
        var found = await PostgresRole.Find(connection, service.Role, login, ct);
        // The script that creates the table organizations also adds row-level security. Before it, there is nothing to
        // check.
        if (await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition("select to_regclass('organizations') is not null", cancellationToken: ct))
            && (await connection.QueryAsync<string>(
                new CommandDefinition(PostgresRowSecurity.Undeclared, commandTimeout: 10, cancellationToken: ct)))
                    .AsList() is { Count: > 0 } unprotected)
        {
            report.Add("row_security_off", Severity.Error,
                "Row-level security is off or has another policy than that of the scripts on "
                    + $"{Quantity.Of(unprotected.Count, "table", "tables")}: {Quantity.Few(unprotected)}.",
                        "Run `catalog-migrations verify` to see the differences, and revert them.");
        }

        void Warn(string code, string message, string action) => report.Add(code, Severity.Warning, message, action);
        if (!found.Exists)
        {
            Warn("app_role_missing",
                $"The role {service.Role} for the service's statements is missing: row-level security does not protect the "
                    + "organizations from each other, only the statements' own conditions do.", "Run `catalog-migrations grant`.");
        }
        else if (found.ExemptReason is { } reason)
        {
            Warn("app_role_bypasses_row_security",
                $"Row-level security does not apply to the role {service.Role}, which runs the service's statements: the role {reason}.",
                found.FixFor(service.Role));
        }
        else
        {
            if (found.MissingRights is { Length: > 0 } lacking)
            {
                Warn("app_role_not_granted",
                    $"The role {service.Role} lacks required privileges on {Quantity.Of(lacking.Length, "table", "tables")}: "
                        + $"{Quantity.Few(lacking)}.", "Run `catalog-migrations grant`.");
            }

            if (login is not null && !found.CanBeAssumed)
            {
                Warn("app_role_not_assumable",
                    $"The service's login {login} is not a member of the role {service.Role}, so its statements run as {login}.",
                    $"Run `catalog-migrations grant --member {login}`.");
            }
        }

        if (login is not null && found.LoginMissingRights is { Length: > 0 }
            && !(found.CanBeAssumed && found.ExemptReason is null && found.MissingRights is []))
        {
            report.Add("service_not_permitted", Severity.Error,
                $"The service's login {login} lacks the privileges to read and write "
                    + $"{Quantity.Of(found.LoginMissingRights.Length, "table", "tables")}: {Quantity.Few(found.LoginMissingRights)}.",
                        $"Run `catalog-migrations grant --member {login}`.");
        }
    }
}
