using System.Data.Common;
using Dapper;

namespace Catalog.Data.Database.Postgres;

/// <summary>The properties and rights of a role and of a login that is meant to assume it.</summary>
internal sealed record PostgresRole
{
    public required bool Exists { get; init; }

    public required bool LoginExists { get; init; }

    public required bool Superuser { get; init; }

    public required bool BypassesRowSecurity { get; init; }

    public required bool CanLogIn { get; init; }

    /// <summary>Whether the role owns a Catalog table, or inherits from its owner.</summary>
    public required bool OwnsTables { get; init; }

    /// <summary>Whether the login can assume the role.</summary>
    public required bool CanBeAssumed { get; init; }

    /// <summary>The tables on which the role lacks a needed right.</summary>
    public required string[] MissingRights { get; init; }

    /// <summary>The tables on which the login itself lacks a needed right.</summary>
    public required string[] LoginMissingRights { get; init; }

    /// <summary>The tables on which the current user cannot grant rights.</summary>
    public required string[] TablesOfOtherRoles { get; init; }

    public required int Tables { get; init; }

    /// <summary>
    /// Why row-level security does not apply to the role, as a text after its name; null when it applies.
    /// </summary>
    public string? ExemptReason => Superuser ? "is a superuser" : BypassesRowSecurity ? "has BYPASSRLS" : OwnsTables
        ? "owns the Catalog's tables or inherits from their owner" : null;

    /// <summary>How to fix <see cref="ExemptReason"/>.</summary>
    public string FixFor(string role) => Superuser || BypassesRowSecurity
        ? $"Name another role in DATAXPIPE_APP_ROLE, or ask a superuser to run `alter role \"{role}\" nosuperuser nobypassrls`; then "
            + "run `catalog-migrations grant`."
        : "Name another role in DATAXPIPE_APP_ROLE that is neither the owner of the tables nor a member of it; then run "
            + "`catalog-migrations grant`.";

    /// <summary>Reads a role from the server.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="role">The role; it need not exist.</param>
    /// <param name="login">The login that should assume the role; null when unknown.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<PostgresRole> Find(DbConnection connection, string role, string? login, CancellationToken ct)
    {
        const string Sql = $$"""
            -- PostgresRole.Find
            with ours as ({{PostgresGrants.TablesQuery}})
            select r.oid is not null as "exists", l.oid is not null as login_exists,
                   coalesce(r.rolcanlogin, false) as can_log_in, coalesce(r.rolsuper, false) as superuser,
                   coalesce(r.rolbypassrls, false) as bypasses_row_security,
                   coalesce(not r.rolsuper and exists (select from ours where pg_has_role(r.oid, ours.owner, 'USAGE')),
                       false) as owns_tables,
                   coalesce(pg_has_role(l.oid, r.oid, 'MEMBER'), false) as can_be_assumed,
                   case when r.oid is null then '{}' else array(select name from ours where not (select bool_and(has_table_privilege(r.oid, ours.oid, p)) from unnest(ours.needed) p) order by name) end as missing_rights,
                   case when l.oid is null then '{}' else array(select name from ours where not (select bool_and(has_table_privilege(l.oid, ours.oid, p)) from unnest(ours.needed) p) order by name) end as login_missing_rights,
                   array(select name from ours where not pg_has_role(current_user, ours.owner, 'USAGE') order by name) as tables_of_other_roles,
                   (select count(*)::int from ours) as tables
            from (select 1) one
            left join pg_roles r on r.rolname = @role
            left join pg_roles l on l.rolname = @login
            """;

        return await connection.QuerySingleAsync<PostgresRole>(
            new CommandDefinition(Sql, new { role, login }, commandTimeout: 10, cancellationToken: ct));
    }
}
