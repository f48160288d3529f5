using System.Text.RegularExpressions;
using Catalog.Data.Settings;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// The SQL that creates the role for the service's statements, grants it the needed rights, and lets the service's
/// login assume it.
/// </summary>
public static partial class PostgresGrants
{
    /// <summary>
    /// The tables that the migration scripts create, as a list of SQL literals. Grants and row-level security concern
    /// only these tables, not other tables in the schema.
    /// </summary>
    internal const string TableNames = """
        'api_keys', 'audit_log', 'check_results', 'check_schedules', 'check_states', 'checks', 'column_edges',
        'connections', 'data_protection_keys', 'dataset_aliases', 'datasets', 'ended_sessions', 'execution_checks',
        'executions', 'facets', 'lineage_edges', 'lineage_events', 'lineage_runs', 'organizations', 'pipeline_tags',
        'pipeline_versions', 'pipelines', 'request_rates', 'run_attempts', 'run_check_states', 'run_datasets',
        'run_events', 'run_stages', 'runs', 'stripe_events', 'unread_facets'
        """;

    /// <summary>
    /// A query of the Catalog's tables: <c>oid</c>, <c>name</c>, <c>owner</c>, and <c>needed</c>, the rights that the
    /// service needs.
    /// </summary>
    internal const string TablesQuery = TablesQueryStart + TableNames + ")";

    private const string TablesQueryStart = """
        select c.oid, c.relname::text as name, c.relowner as owner,
               case when c.relname = 'audit_log' then '{select,insert}' else '{select,insert,update,delete}' end::text[] as needed
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname in (
        """;

    /// <summary>
    /// Whether a name is a valid role name: lower-case letters, digits and underscores, no digit first, at most 63
    /// characters.
    /// </summary>
    public static bool IsRole(string name) => RoleName().IsMatch(name);

    /// <summary>Validates a role name from an operator.</summary>
    /// <param name="setting">The name of the setting, for the error message.</param>
    /// <param name="role">The name.</param>
    /// <exception cref="SettingException">The name is invalid.</exception>
    public static string ValidateRole(string setting, string role) => IsRole(role)
        ? role
        : throw new SettingException(
            $"{setting} must be lower-case letters, digits and underscores, beginning with a letter, at most 63 characters, and not "
                + "reserved by Postgres (pg_…, public, none).");

    /// <summary>
    /// Whether a name is a valid login name. Providers use names such as <c>svc@tenant</c> and <c>Catalog-App</c>.
    /// </summary>
    public static bool IsLogin(string name) => LoginName().IsMatch(name);

    /// <summary>
    /// The statement that grants the role the needed rights on the existing tables, if the role exists. It is
    /// idempotent.
    /// </summary>
    /// <param name="role">The service's role.</param>
    /// <param name="tables">The tables that the migration scripts create; null for the tables of this build.</param>
    public static string GrantPrivileges(string role, IEnumerable<string>? tables = null) => $"""
        do $$
        declare
            app constant text := '{Validated(role)}';
            tables record;
        begin
            if exists (select from pg_roles where rolname = app) then
                for tables in
                    select string_agg(format('%I.%I', current_schema(), name), ', ') as names, array_to_string(needed, ', ') as privileges
                    from ({Indented(QueryOf(tables))}) ours
                    where pg_has_role(current_user, owner, 'USAGE')
                    group by needed
                loop
                    execute format('grant %s on %s to %I', tables.privileges, tables.names, app);
                end loop;
                -- The audit log is append-only for the service.
                if exists (select from pg_class where oid = to_regclass('audit_log') and pg_has_role(current_user, relowner, 'USAGE')) then
                    execute format('revoke update, delete, truncate on %I.audit_log from %I', current_schema(), app);
                end if;
                -- Only the migrator writes the journal. The service only reads the schema version, so all other rights are revoked.
                if exists (select from pg_class where oid = to_regclass('schemaversions') and pg_has_role(current_user, relowner,
                    'USAGE')) then
                    execute format('revoke all on %I.schemaversions from %I', current_schema(), app);
                    execute format('grant select on %I.schemaversions to %I', current_schema(), app);
                end if;
                if exists (select from pg_class where oid = to_regclass('schema_history') and pg_has_role(current_user, relowner,
                    'USAGE')) then
                    execute format('revoke all on %I.schema_history from %I', current_schema(), app);
                end if;
                if not has_schema_privilege(app, current_schema(), 'USAGE') then
                    execute format('grant usage on schema %I to %I', current_schema(), app);
                end if;
            end if;
        end $$
        """;

    /// <summary>The statement that creates the role if it does not exist.</summary>
    public static string CreateRole(string role) => $"""
        do $$ begin
            if not exists (select from pg_roles where rolname = '{Validated(role)}') then
                create role "{role}" nologin nosuperuser nobypassrls noinherit nocreatedb nocreaterole noreplication;
            end if;
        end $$
        """;

    /// <summary>
    /// The statement that lets the role log in. This is needed because Citus opens its connections to other servers as
    /// the role.
    /// </summary>
    public static string AllowLogin(string role) => $"alter role \"{Validated(role)}\" login";

    /// <summary>The statement that lets a login assume the role.</summary>
    public static string GrantMembership(string role, string login) => IsLogin(login)
        ? $"grant \"{Validated(role)}\" to \"{login}\""
        : throw new ArgumentException("This is not a valid login name.", nameof(login));

    /// <summary>All statements, for an administrator who is a superuser or the owner of the tables.</summary>
    /// <param name="role">The service's role.</param>
    /// <param name="login">The login that can assume the role; null when it is unknown or is the role itself.</param>
    public static string AllStatements(string role, string? login) =>
        $"{CreateRole(role)};\n\n{(login is null ? "" : $"{GrantMembership(role, login)};\n\n")}{GrantPrivileges(role)};\n";

    private static string Validated(string role) =>
        IsRole(role) ? role : throw new ArgumentException("This is not a valid role name.", nameof(role));

    // Skips names that are not simple, such as tables of another schema: their scripts grant the rights.
    private static string QueryOf(IEnumerable<string>? tables) => tables is null
        ? TablesQuery
        : $"{TablesQueryStart}{string.Join(", ", tables.Where(IsRole).Select(table => $"'{table}'").DefaultIfEmpty("null"))})";

    private static string Indented(string sql) => sql.ReplaceLineEndings("\n                    ");

    // The server reserves names that begin with pg_.
    [GeneratedRegex(@"^(?!pg_|public\z|none\z)[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex RoleName();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.@$-]{0,62}\z")]
    private static partial Regex LoginName();
}
