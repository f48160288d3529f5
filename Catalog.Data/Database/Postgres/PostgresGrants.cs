using System.Text.RegularExpressions;

namespace Catalog.Data.Database.Postgres;

/// <summary>Makes the role that the service's statements run as, gives it what they need, and lets the service's login assume it.</summary>
public static partial class PostgresGrants
{
    /// <summary>The tables that the scripts make, as a list of SQL texts. A table of others in the same schema concerns neither rights nor row security.</summary>
    internal const string Names = """
        'api_keys', 'audit_log', 'check_results', 'checks', 'connections', 'datasets', 'lineage_edges', 'organizations', 'pipeline_tags',
        'pipeline_versions', 'pipelines', 'request_rates', 'run_events', 'run_stages', 'runs', 'stripe_events'
        """;

    /// <summary>The Catalog's tables: <c>oid</c>, <c>name</c>, <c>owner</c>, and <c>needed</c>, what the service does in them.</summary>
    internal const string Tables = Before + Names + ")";

    private const string Before = """
        select c.oid, c.relname::text as name, c.relowner as owner,
               case when c.relname = 'audit_log' then '{select,insert}' else '{select,insert,update,delete}' end::text[] as needed
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname in (
        """;

    /// <summary>Whether a name can be a role's here: small letters, digits and underscores, beginning with no digit, at most 63.</summary>
    public static bool IsRole(string name) => RoleName().IsMatch(name);

    /// <summary>A role's name that was given by an operator.</summary>
    /// <param name="setting">What the message calls it.</param>
    /// <param name="role">The name.</param>
    /// <exception cref="SettingException">It is no plain name.</exception>
    public static string Role(string setting, string role) => IsRole(role)
        ? role
        : throw new SettingException($"{setting} must be small letters, digits and underscores, beginning with a letter, at most 63, and none of the server's own (pg_…, public, none).");

    /// <summary>Whether a name can be a login's here; hosts hand out such as <c>svc@tenant</c> and <c>Catalog-App</c>.</summary>
    public static bool IsLogin(string name) => LoginName().IsMatch(name);

    /// <summary>The statement that gives the role what the service needs on what is there, when the role exists; it may be run again.</summary>
    /// <param name="role">The service's role.</param>
    /// <param name="tables">The tables that the scripts make; null: those of this build.</param>
    public static string Privileges(string role, IEnumerable<string>? tables = null) => $"""
        do $$
        declare
            app constant text := '{Checked(role)}';
            tables record;
        begin
            if exists (select from pg_roles where rolname = app) then
                for tables in
                    select string_agg(format('%I.%I', current_schema(), name), ', ') as names, array_to_string(needed, ', ') as privileges
                    from ({Indented(Of(tables))}) ours
                    where pg_has_role(current_user, owner, 'USAGE')
                    group by needed
                loop
                    execute format('grant %s on %s to %I', tables.privileges, tables.names, app);
                end loop;
                -- What was done stays written: the service adds to it and changes nothing in it.
                if exists (select from pg_class where oid = to_regclass('audit_log') and pg_has_role(current_user, relowner, 'USAGE')) then
                    execute format('revoke update, delete, truncate on %I.audit_log from %I', current_schema(), app);
                end if;
                -- The journal is the migrator's: the service reads how far the schema is, also where somebody had granted everything.
                if exists (select from pg_class where oid = to_regclass('schemaversions') and pg_has_role(current_user, relowner, 'USAGE')) then
                    execute format('revoke all on %I.schemaversions from %I', current_schema(), app);
                    execute format('grant select on %I.schemaversions to %I', current_schema(), app);
                end if;
                if exists (select from pg_class where oid = to_regclass('schema_history') and pg_has_role(current_user, relowner, 'USAGE')) then
                    execute format('revoke all on %I.schema_history from %I', current_schema(), app);
                end if;
                if not has_schema_privilege(app, current_schema(), 'USAGE') then
                    execute format('grant usage on schema %I to %I', current_schema(), app);
                end if;
            end if;
        end $$
        """;

    /// <summary>The statement that makes the role where it is missing.</summary>
    public static string Creation(string role) => $"""
        do $$ begin
            if not exists (select from pg_roles where rolname = '{Checked(role)}') then
                create role "{role}" nologin nosuperuser nobypassrls noinherit nocreatedb nocreaterole noreplication;
            end if;
        end $$
        """;

    /// <summary>The statement that lets a login assume the role.</summary>
    public static string Membership(string role, string login) => IsLogin(login)
        ? $"grant \"{Checked(role)}\" to \"{login}\""
        : throw new ArgumentException("This is no login's name.", nameof(login));

    /// <summary>All of it, for an administrator who is a superuser or the tables' owner.</summary>
    /// <param name="role">The service's role.</param>
    /// <param name="login">Who may assume it; null when nobody is known, or it is the role itself.</param>
    public static string Everything(string role, string? login) =>
        $"{Creation(role)};\n\n{(login is null ? "" : $"{Membership(role, login)};\n\n")}{Privileges(role)};\n";

    private static string Checked(string role) => IsRole(role) ? role : throw new ArgumentException("This is no role's name.", nameof(role));

    // A table that is no plain name, such as one of another schema, is left to its scripts.
    private static string Of(IEnumerable<string>? tables) => tables is null
        ? Tables
        : $"{Before}{string.Join(", ", tables.Where(IsRole).Select(table => $"'{table}'").DefaultIfEmpty("null"))})";

    private static string Indented(string sql) => sql.ReplaceLineEndings("\n                    ");

    // What begins with pg_ is the server's own.
    [GeneratedRegex(@"^(?!pg_|public\z|none\z)[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex RoleName();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.@$-]{0,62}\z")]
    private static partial Regex LoginName();
}
