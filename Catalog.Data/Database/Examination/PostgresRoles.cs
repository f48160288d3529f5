using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Dapper;

namespace Catalog.Data.Database.Examination;

/// <summary>Looks at the role that the service's statements run as: row-level security binds nobody who is above it.</summary>
internal static class PostgresRoles
{
    public static async Task Look(DbConnection connection, Client service, Examined examined, CancellationToken ct)
    {
        var login = service.Place?.Login;
        var found = await Find(connection, service.Role, login, ct);
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
        else if (found.Above is { } above)
        {
            Warn("app_role_bypasses_row_security", $"The role {service.Role}, which the service's statements run as, {above}: row-level security does not bind it.", found.Mend(service.Role));
        }
        else
        {
            if (found.Lacking is { Length: > 0 } lacking)
            {
                Warn("app_role_not_granted", $"The role {service.Role} lacks what the service needs on {Quantity.Of(lacking.Length, "table", "tables")}: {Quantity.Few(lacking)}.", "Run `catalog-migrations grant`.");
            }

            if (login is not null && !found.Assumable)
            {
                Warn("app_role_not_assumable", $"The service's login {login} may not assume the role {service.Role}: its statements run as {login} itself.", $"Run `catalog-migrations grant --member {login}`.");
            }
        }

        if (login is not null && found.LoginLacking is { Length: > 0 } && !(found.Assumable && found.Above is null && found.Lacking is []))
        {
            examined.Add("service_not_permitted", Severity.Error, $"The service's login {login} may not read and write {Quantity.Of(found.LoginLacking.Length, "table", "tables")}: {Quantity.Few(found.LoginLacking)}.", $"Run `catalog-migrations grant --member {login}`.");
        }
    }

    /// <summary>What the server says of a role.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="role">Need not exist.</param>
    /// <param name="login">Who is to assume it; null when nobody is known.</param>
    /// <param name="ct">Stops.</param>
    public static async Task<FoundRole> Find(DbConnection connection, string role, string? login, CancellationToken ct)
    {
        const string Sql = $$"""
            -- PostgresRoles.Find
            with ours as ({{PostgresGrants.Tables}})
            select r.oid is not null as "exists", l.oid is not null as login_exists,
                   coalesce(r.rolsuper, false) as superuser, coalesce(r.rolbypassrls, false) as bypasses,
                   coalesce(not r.rolsuper and exists (select from ours where pg_has_role(r.oid, ours.owner, 'USAGE')), false) as owns,
                   coalesce(pg_has_role(l.oid, r.oid, 'MEMBER'), false) as assumable,
                   case when r.oid is null then '{}' else array(select name from ours where not (select bool_and(has_table_privilege(r.oid, ours.oid, p)) from unnest(ours.needed) p) order by name) end as lacking,
                   case when l.oid is null then '{}' else array(select name from ours where not (select bool_and(has_table_privilege(l.oid, ours.oid, p)) from unnest(ours.needed) p) order by name) end as login_lacking,
                   array(select name from ours where not pg_has_role(current_user, ours.owner, 'USAGE') order by name) as foreign_tables,
                   (select count(*)::int from ours) as tables
            from (select 1) one
            left join pg_roles r on r.rolname = @role
            left join pg_roles l on l.rolname = @login
            """;

        return await connection.QuerySingleAsync<FoundRole>(new CommandDefinition(Sql, new { role, login }, commandTimeout: 10, cancellationToken: ct));
    }
}

/// <summary>A role as the server describes it.</summary>
internal sealed record FoundRole
{
    public required bool Exists { get; init; }

    public required bool LoginExists { get; init; }

    public required bool Superuser { get; init; }

    public required bool Bypasses { get; init; }

    /// <summary>Whether it owns a table of the Catalog, or inherits from an owner.</summary>
    public required bool Owns { get; init; }

    /// <summary>Whether the login may become the role.</summary>
    public required bool Assumable { get; init; }

    /// <summary>The tables on which the role lacks a right that the service needs.</summary>
    public required string[] Lacking { get; init; }

    /// <summary>The same of the login itself.</summary>
    public required string[] LoginLacking { get; init; }

    /// <summary>The tables on which whoever asks may grant nothing.</summary>
    public required string[] ForeignTables { get; init; }

    public required int Tables { get; init; }

    /// <summary>Why row-level security does not bind the role, in words that follow its name; null when it does.</summary>
    public string? Above => Superuser ? "is a superuser" : Bypasses ? "has BYPASSRLS" : Owns ? "owns the Catalog's tables or inherits from their owner" : null;

    /// <summary>What to do about <see cref="Above"/>.</summary>
    public string Mend(string role) => Superuser || Bypasses
        ? $"Name another role in DATAXPIPE_APP_ROLE, or let a superuser run `alter role \"{role}\" nosuperuser nobypassrls`; then `catalog-migrations grant`."
        : "Name another role in DATAXPIPE_APP_ROLE, one that is not the tables' owner nor a member of it; then `catalog-migrations grant`.";
}
