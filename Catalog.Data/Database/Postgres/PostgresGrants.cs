using System.Text.RegularExpressions;
using Catalog.Data.Database.Examination;
using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

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

    /// <summary>Does all of it, as far as this connection's role may.</summary>
    /// <param name="database">As the tables' owner.</param>
    /// <param name="role">The service's role.</param>
    /// <param name="login">Who may assume it; null: this connection's own login.</param>
    /// <param name="ct">Stops; nothing is changed then.</param>
    /// <exception cref="MigrationException">The role is above row-level security, the login does not exist, or the tables are not this role's to grant.</exception>
    public static async Task<Granted> Run(MigrationDatabase database, string role, string? login, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        // As for every migration: a pooler in transaction mode would keep the lock and hand it to others.
        await database.Dialect.Begin(connection, stop => database.Source.OpenConnectionAsync(stop), new(), ct);
        // Two that grant at once, such as an upgrade beside this, would meet in one row of the server's catalog.
        await using var held = await database.Dialect.Lock(connection, TimeSpan.FromSeconds(10), _ => { }, ct)
            ?? throw new MigrationException(MigrationFault.LockNotObtained, $"Another migrator is at work: {await database.Dialect.Holder(connection, ct) ?? "it has just ended"}. Run this again when it is done.");
        login ??= await connection.ExecuteScalarAsync<string>(new CommandDefinition("select session_user::text", cancellationToken: ct));
        var before = await PostgresRoles.Find(connection, role, login, ct);
        Refuse(before, role, login!);

        string? needed = null;
        await using var transaction = (NpgsqlTransaction)await connection.BeginTransactionAsync(ct);
        async Task Try(string sql)
        {
            await transaction.SaveAsync("step", ct);
            try
            {
                await database.Dialect.Execute(connection, transaction, sql, ct);
            }
            catch (PostgresException exception) when (exception.SqlState == "42501")
            {
                await transaction.RollbackAsync("step", ct);
                needed += $"{sql};\n";
            }
        }

        await connection.ExecuteAsync(new CommandDefinition("select set_config('lock_timeout', '5s', true)", transaction: transaction, cancellationToken: ct));
        if (!before.Exists)
        {
            await Try(Creation(role));
        }

        var joins = login != role && !before.Assumable;
        if (joins && needed is null)
        {
            await Try(Membership(role, login!));
        }
        else if (joins)
        {
            needed += $"{Membership(role, login!)};\n";
        }

        await database.Dialect.Execute(connection, transaction, Privileges(role), ct);
        var after = await PostgresRoles.Find(connection, role, login, ct);
        await transaction.CommitAsync(ct);
        return new(login!, !before.Exists && after.Exists, after.Assumable && !before.Assumable, after.Exists ? after.Tables - after.Lacking.Length : 0, needed);
    }

    private static void Refuse(FoundRole found, string role, string login)
    {
        if (found is { Exists: true, Above: { } above })
        {
            throw new MigrationException(MigrationFault.WrongTarget, $"The role {role} {above}, so row-level security would not bind it; nothing was changed. {found.Mend(role)}");
        }

        if (!found.LoginExists && login != role)
        {
            throw new MigrationException(MigrationFault.UnknownTarget, $"The server has no login {login}: name the service's with --member, or make it first; nothing was changed.");
        }

        if (found.ForeignTables is { Length: > 0 } foreign)
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                $"{Quantity.Of(foreign.Length, "table belongs", "tables belong")} to another role, who alone can grant on them: {Quantity.Few(foreign)}. Set DATAXPIPE_MIGRATIONS_DB to an address of the tables' owner; nothing was changed.");
        }
    }

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

/// <summary>What a grant did.</summary>
/// <param name="Login">Who may assume the role.</param>
/// <param name="Created">Whether the role was made.</param>
/// <param name="Joined">Whether the login was made its member.</param>
/// <param name="Tables">On how many tables the role has what the service needs.</param>
/// <param name="Needed">The SQL that this role may not run and an administrator has to; null when all is done.</param>
public sealed record Granted(string Login, bool Created, bool Joined, int Tables, string? Needed);
