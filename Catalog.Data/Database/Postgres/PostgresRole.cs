using System.Data.Common;
using Dapper;

namespace Catalog.Data.Database.Postgres;

/// <summary>A role as the server describes it.</summary>
internal sealed record PostgresRole
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

    /// <summary>What the server says of a role.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="role">Need not exist.</param>
    /// <param name="login">Who is to assume it; null when nobody is known.</param>
    /// <param name="ct">Stops.</param>
    public static async Task<PostgresRole> Find(DbConnection connection, string role, string? login, CancellationToken ct)
    {
        const string Sql = $$"""
            -- PostgresRole.Find
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

        return await connection.QuerySingleAsync<PostgresRole>(new CommandDefinition(Sql, new { role, login }, commandTimeout: 10, cancellationToken: ct));
    }
}
