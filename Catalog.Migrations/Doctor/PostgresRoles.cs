using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Database.Postgres;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Looks at the role that the service's statements run as: row-level security binds nobody who is above it.</summary>
internal static class PostgresRoles
{
    public static async Task Look(DbConnection connection, Client service, DoctorReport examined, CancellationToken ct)
    {
        var login = service.Place?.Login;
        var found = await PostgresRole.Find(connection, service.Role, login, ct);
        // Before the script that brings it there is nothing to bind.
        if (await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select to_regclass('organizations') is not null", cancellationToken: ct))
            && (await connection.QueryAsync<string>(new CommandDefinition(PostgresRowSecurity.Undeclared, commandTimeout: 10, cancellationToken: ct))).AsList() is { Count: > 0 } unbound)
        {
            examined.Add("row_security_off", Severity.Error, $"Row security is off or has another policy than the scripts made on {Quantity.Of(unbound.Count, "table", "tables")}: {Quantity.Few(unbound)}.", "Run `catalog-migrations verify`, which says what differs, and undo it.");
        }

        void Warn(string code, string message, string action) => examined.Add(code, Severity.Warning, message, action);
        if (!found.Exists)
        {
            Warn("app_role_missing", $"There is no role {service.Role} for the service's statements to run as: nothing but their own conditions keeps organizations apart.", "Run `catalog-migrations grant`.");
        }
        else if (found.ExemptReason is { } above)
        {
            Warn("app_role_bypasses_row_security", $"The role {service.Role}, which the service's statements run as, {above}: row-level security does not bind it.", found.FixFor(service.Role));
        }
        else
        {
            if (found.MissingRights is { Length: > 0 } lacking)
            {
                Warn("app_role_not_granted", $"The role {service.Role} lacks what the service needs on {Quantity.Of(lacking.Length, "table", "tables")}: {Quantity.Few(lacking)}.", "Run `catalog-migrations grant`.");
            }

            if (login is not null && !found.CanBeAssumed)
            {
                Warn("app_role_not_assumable", $"The service's login {login} may not assume the role {service.Role}: its statements run as {login} itself.", $"Run `catalog-migrations grant --member {login}`.");
            }
        }

        if (login is not null && found.LoginMissingRights is { Length: > 0 } && !(found.CanBeAssumed && found.ExemptReason is null && found.MissingRights is []))
        {
            examined.Add("service_not_permitted", Severity.Error, $"The service's login {login} may not read and write {Quantity.Of(found.LoginMissingRights.Length, "table", "tables")}: {Quantity.Few(found.LoginMissingRights)}.", $"Run `catalog-migrations grant --member {login}`.");
        }
    }
}
