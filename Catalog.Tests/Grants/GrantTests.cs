using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Migrations.Grants;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Grants;

/// <summary>
/// Tests of the verb grant. Roles belong to the whole server: each test creates its own roles and drops them.
/// </summary>
public sealed class GrantTests : IClassFixture<PostgresTestDatabase>, IAsyncLifetime
{
    private readonly string _role = DedicatedPostgres.Name("r");
    private readonly string _login = DedicatedPostgres.Name("u");
    private readonly List<string> _roles = [];
    private string _address = "";

    public GrantTests(PostgresTestDatabase database) => database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _address = await PostgresTestDatabase.AtHead("catalog_grant", superuser: true);
        await CreateRole(_login, "login");
        _roles.Add(_role);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var role in Enumerable.Reverse(_roles))
        {
            await DedicatedPostgres.Execute(
                _address, $"do $$ begin if exists (select from pg_roles where rolname = '{role}') then reassign owned by {role} to "
                    + $"current_user; drop owned by {role}; drop role {role}; end if; end $$");
        }
    }

    [Fact]
    public async Task A_member_login_can_do_the_services_work_as_the_role_and_nothing_else()
    {
        var granted = await Run();

        Assert.Equal((true, true, null), (granted.Created, granted.Joined, granted.Needed));
        Assert.Equal(
            "f f f f f f", await DedicatedPostgres.Scalar<string>(
                _address, "select concat_ws(' ', rolcanlogin, rolsuper, rolbypassrls, rolinherit, rolcreatedb, rolcreaterole) from "
                    + $"pg_roles where rolname = '{_role}'"));
        await using var service = await DedicatedPostgres.Open(DedicatedPostgres.WithUser(_address, _login));
        var tables = (
            await service.QueryAsync<string>(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname not "
                    + "in ('schemaversions', 'schema_history')")).AsList();
        Assert.Equal(granted.Tables, tables.Count);
        foreach (var table in tables)
        {
            await AsRole(
                service, $"insert into {table} select * from "
                    + $"{table}{(table == "audit_log" ? "" : $"; update {table} set organization_id = organization_id; delete from {table}")}");
        }

        await AsRole(service, "select scriptname from schemaversions");
        foreach (var forbidden in new[]
                 {
                     "create table mine (id int)", "alter table runs add column mine int", "drop table runs", "truncate runs",
                     "create index mine on runs (id)",
                     "insert into schemaversions (scriptname, applied) values ('x', now())", "update schemaversions set checksum = ''",
                     "delete from schemaversions", "select * from schema_history",
                     "update audit_log set actor = ''", "delete from audit_log", "truncate audit_log",
                 })
        {
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => AsRole(service, forbidden))).SqlState);
        }
    }

    [Fact]
    public async Task A_second_grant_only_revokes_rights_that_are_too_broad()
    {
        await Run();
        await DedicatedPostgres.Execute(_address, $"grant all on all tables in schema public to {_role}");

        var again = await Run();

        Assert.Equal((false, false, null), (again.Created, again.Joined, again.Needed));
        Assert.False(
            await DedicatedPostgres.Scalar<bool>(
                _address, $"select has_table_privilege('{_role}', 'schema_history', 'select') or has_table_privilege('{_role}', "
                    + "'schemaversions', 'delete')"));
    }

    [Fact]
    public async Task A_table_created_by_an_upgrade_has_its_grants()
    {
        await Run();
        var scripts = Directory.CreateTempSubdirectory("catalog-scripts-");
        var folder = scripts.CreateSubdirectory("postgres").FullName;
        var chain = Chain.BuiltIn("postgres");
        foreach (var script in chain.Scripts)
        {
            File.Copy(Path.Combine(ConventionTests.Root, "sql", "postgres", script.Name), Path.Combine(folder, script.Name));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, $"{chain.Scripts.Count + 1:0000}_new.sql"),
            "create table brand_new (organization_id text primary key);\n", Ct);
        await using var database = MigrationDatabase.Open(TestDatabase.Read(_address));

        await new Migrator(database, Chain.From(scripts.FullName, "postgres"), TimeProvider.System) { AppRole = _role }.Upgrade(
            Chain.Head, again: false, Ct);

        await using var service = await DedicatedPostgres.Open(DedicatedPostgres.WithUser(_address, _login));
        await AsRole(service, "insert into brand_new values ('default'); select * from brand_new; delete from brand_new");
        scripts.Delete(recursive: true);
    }

    [Fact]
    public async Task A_role_that_bypasses_row_level_security_is_refused_and_nothing_changes()
    {
        await CreateRole(_role, "superuser");
        Assert.Contains("is a superuser", await Refused());
        await DedicatedPostgres.Execute(_address, $"alter role {_role} nosuperuser bypassrls");
        Assert.Contains("has BYPASSRLS", await Refused());
        await DedicatedPostgres.Execute(_address, $"alter role {_role} nobypassrls");
        var owner = await CreateRole(DedicatedPostgres.Name("o"));
        await DedicatedPostgres.Execute(_address, $"alter table runs owner to {owner}", $"grant {owner} to {_role}");
        Assert.Contains("inherits from their owner", await Refused());

        Assert.False(
            await DedicatedPostgres.Scalar<bool>(
                _address, $"select pg_has_role('{_login}', '{_role}', 'MEMBER') or has_table_privilege('{_role}', 'checks', 'select')"));
        await DedicatedPostgres.Execute(_address, $"revoke {owner} from {_role}");
    }

    [Fact]
    public async Task An_unknown_login_and_tables_of_another_owner_are_refused()
    {
        Assert.Contains("login nobody_of_that_name does not exist", await Refused(login: "nobody_of_that_name"));
        Assert.Contains("belong to another role", await Refused(DedicatedPostgres.WithUser(_address, _login)));
        Assert.False(await DedicatedPostgres.Scalar<bool>(_address, $"select exists (select from pg_roles where rolname = '{_role}')"));
    }

    [Fact]
    public async Task An_owner_without_createrole_gets_the_SQL_for_an_administrator()
    {
        var owner = await CreateRole(DedicatedPostgres.Name("o"), "login");
        await DedicatedPostgres.Execute(
            _address, "do $$ declare t text; begin for t in select relname from pg_class where relnamespace = "
                + $"'public'::regnamespace and relkind = 'r' loop execute format('alter table public.%I owner to {owner}', t); end "
                + "loop; end $$");
        await DedicatedPostgres.Execute(_address, $"alter schema public owner to {owner}");
        (string, string)[] settings =
        [
            ("DATAXPIPE_MIGRATIONS_DB", DedicatedPostgres.WithUser(_address, owner)),
            ("DATAXPIPE_DB", DedicatedPostgres.WithUser(_address, _login)),
            ("DATAXPIPE_APP_ROLE", _role),
        ];

        var run = await MigratorConsole.Run(settings, "grant");
        Assert.Equal(1, run.Exit);
        Assert.Contains($"create role \"{_role}\" nologin nosuperuser nobypassrls noinherit", run.Output);
        Assert.EndsWith($"grant \"{_role}\" to \"{_login}\";\n", run.Output);
        await DedicatedPostgres.Execute(_address, run.Output);

        var again = await MigratorConsole.Run(settings, "grant", "--json");
        Assert.Equal(0, again.Exit);
        Assert.Equal((_role, _login, false), (again.Json.GetProperty("role").GetString(), again.Json.GetProperty("login").GetString(),
            again.Json.GetProperty("created").GetBoolean()));
        await using var service = await DedicatedPostgres.Open(DedicatedPostgres.WithUser(_address, _login));
        await AsRole(service, "select * from runs");
    }

    [Fact]
    public async Task An_owner_with_createrole_needs_no_superuser()
    {
        var owner = await CreateRole(DedicatedPostgres.Name("o"), "login createrole");
        await DedicatedPostgres.Execute(_address, "drop schema public cascade", $"create schema public authorization {owner}");
        await TestDatabase.Migrate(DedicatedPostgres.WithUser(_address, owner));

        var granted = await Run(DedicatedPostgres.WithUser(_address, owner));

        Assert.Equal((true, true, null), (granted.Created, granted.Joined, granted.Needed));
    }

    [Fact]
    public async Task The_printed_SQL_does_the_same_and_printing_runs_nothing()
    {
        var run = await MigratorConsole.Run(DedicatedPostgres.WithUser(_address, _login, "c4nary"), "grant", _role, "--print");

        Assert.Equal((0, ""), (run.Exit, run.Errors));
        Assert.DoesNotContain("c4nary", run.Output);
        Assert.False(await DedicatedPostgres.Scalar<bool>(_address, $"select exists (select from pg_roles where rolname = '{_role}')"));
        await DedicatedPostgres.Execute(_address, [.. StatementSplitter.Statements(run.Output).Select(statement => statement.Sql)]);
        await using var service = await DedicatedPostgres.Open(DedicatedPostgres.WithUser(_address, _login));
        await AsRole(service, "delete from runs");
    }

    [Theory]
    [InlineData("catalog_app", true)]
    [InlineData("Catalog", false)]
    [InlineData("a\"; drop role b", false)]
    [InlineData("", false)]
    public void Only_plain_names_are_accepted_as_roles(string name, bool plain)
    {
        Assert.Equal(plain, PostgresGrants.IsRole(name));
        if (!plain)
        {
            Assert.Throws<ArgumentException>(() => PostgresGrants.GrantPrivileges(name));
        }
    }

    [Fact]
    public async Task SQLite_has_nothing_to_grant()
    {
        var run = await MigratorConsole.Run(Path.Combine(Path.GetTempPath(), "catalog-grant.db"), "grant");

        Assert.Equal((0, ""), (run.Exit, run.Errors));
        Assert.Contains("nothing to grant", run.Output);
    }

    private static async Task AsRole(NpgsqlConnection service, string sql, string role)
    {
        await using var transaction = await service.BeginTransactionAsync(Ct);
        await service.ExecuteAsync($"set local role {role}", transaction: transaction);
        await service.ExecuteAsync(sql, transaction: transaction);
    }

    private Task AsRole(NpgsqlConnection service, string sql) => AsRole(service, sql, _role);

    private async Task<string> CreateRole(string role, string rights = "")
    {
        await DedicatedPostgres.Execute(_address, $"create role {role} password '{role}' {rights}");
        _roles.Add(role);
        return role;
    }

    private async Task<Granted> Run(string? address = null, string? login = null)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address ?? _address));
        return await PostgresRoleGrant.Run(database, _role, login ?? _login, Ct);
    }

    private async Task<string> Refused(string? address = null, string? login = null) =>
        (await Assert.ThrowsAsync<MigrationException>(() => Run(address, login))).Message;
}
