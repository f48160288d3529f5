using Catalog.Migrations.Backup;
using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

/// <summary>
/// A backup contains only the Catalog's own objects. A plain owner can restore it, whatever else is in the database.
/// </summary>
[Trait("Category", "Slow")]
public sealed class BackupOfSharedDatabaseTests(BackupFolder folder) : IClassFixture<BackupFolder>
{
    // Other objects: administrators, providers and other programs create them. The backup's role has no right on many
    // of them.
    private static readonly string[] Others =
    [
        "create extension pg_stat_statements", "create extension citext", "comment on extension citext is 'x'",
        "create extension postgres_fdw",
        "create server far foreign data wrapper postgres_fdw", "create foreign table public.far_rows (id int) server far",
        "create foreign table public.\"Far \"\"Rows\" (id int) server far",
        "create schema other", "create table other.t (id int)", "insert into other.t values (1)",
        "alter table other.t enable row level security",
        "create function other.watch() returns event_trigger language plpgsql as 'begin end'",
        "create event trigger watched on ddl_command_end execute function other.watch()",
        "create publication everything for table public.runs", "comment on schema public is 'ours'",
        "alter default privileges in schema public grant select on tables to public",
        "grant select on public.runs to public",
        "create table public.their_notes (id int primary key, word public.citext, run text)",
        "insert into public.their_notes values (1, 'x', 'run-1')",
        "alter table public.runs add constraint runs_noted unique (organization_id, id, pipeline_id)",
        "create table public.their_links (organization_id text, id text, foreign key (organization_id, id) references public.runs "
            + "(organization_id, id))",
        "create view public.their_view as select id, status from public.runs",
        "create materialized view public.their_summary as select status, count(*) from public.runs group by status",
        "create function public.their_function() returns trigger language plpgsql as 'begin return new; end'",
        "create trigger their_trigger before update on public.runs for each row execute function public.their_function()",
        "create trigger their_built_in_trigger before update on public.pipelines for each row execute function "
            + "suppress_redundant_updates_trigger()",
        "create rule their_rule as on delete to public.runs where false do instead nothing",
        "create function public.their_word(text) returns text immutable language sql as 'select lower($1)'",
        "create index their_index on public.runs (public.their_word(pipeline_id))",
        "create index their_plain_index on public.runs (lower(pipeline_id))",
        "comment on index public.their_index is 'theirs'", "comment on trigger their_trigger on public.runs is 'theirs'",
        "comment on table public.runs is 'theirs'",
        "create domain public.their_domain as text check (value <> '')", "create type public.their_type as (a int)",
        "create sequence public.their_sequence",
        "create statistics public.their_statistics on status, pipeline_id from public.runs",
        "create policy their_policy on public.runs for select to pg_monitor using (true)",
        "create policy their_other_policy on public.runs for select using (public.their_word(id) is not null)",
        "create publication their_publication for table public.runs, public.their_notes",
    ];

    private static readonly string[] Excluded =
    [
        "the foreign table \"Far \"\"Rows\"", "the foreign table far_rows", "the function their_function()",
        "the function their_word(text)", "the index their_index",
        "the type their_type", "the statistics object their_statistics", "the materialized view their_summary",
        "the policy their_other_policy on table runs", "the policy their_policy on table runs",
        "the rule their_rule on table runs", "the sequence their_sequence", "the table their_links", "the table their_notes",
        "the trigger their_built_in_trigger on table pipelines",
        "the trigger their_trigger on table runs", "the type their_domain", "the view their_view",
    ];

    [Theory]
    [InlineData("custom")]
    [InlineData("plain")]
    public async Task Other_objects_in_the_database_do_not_prevent_a_restore(string format)
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await BackupSteps.Fill(database);
        await DedicatedPostgres.Execute(database.SuperuserAddress, Others);
        var where = folder.New();

        var path = await BackupSteps.BackUp(database.Address, where, "--format", format);

        var manifest = BackupSteps.Describe(path);
        Assert.Equal("public", manifest.Schema);
        Assert.Equal(Excluded.Order(StringComparer.Ordinal), manifest.Excluded.Order(StringComparer.Ordinal));
        Assert.Equal([], manifest.Requires!);
        Assert.DoesNotContain(manifest.Rows.Keys, table => table.StartsWith("their_", StringComparison.Ordinal));
        Assert.Equal(0, (await MigratorConsole.Run(database.Address, "backups", "verify", path)).Exit);
        var target = await PostgresTestDatabase.Empty("catalog_plain_owner");
        await DedicatedPostgres.Execute(PostgresTestDatabase.AddressOf(new Uri(target).AbsolutePath[1..]), "create extension citext",
            "create schema other", "create table other.u (id int)");
        var restored = await MigratorConsole.Run(target, "restore", path);
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(await BackupSteps.Hash(database.Address), await BackupSteps.Hash(target));
        var verified = await MigratorConsole.Run(target, "verify");
        // Constraints and indexes of others that need no other object are restored, and verify reports them.
        Assert.Contains("their_plain_index", verified.ToString());
        Assert.Contains("runs_noted", verified.ToString());
        Assert.DoesNotContain("their_index", verified.ToString());
        Assert.DoesNotContain("trigger", verified.ToString());
        var drill = await MigratorConsole.Run(database.Address, "backups", "drill", where);
        Assert.True(drill.Exit == 0, drill.ToString());
    }

    [Fact]
    public async Task Parts_of_a_table_that_others_added_are_reported_by_the_backup_and_by_a_failed_restore()
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await DedicatedPostgres.Execute(
            database.SuperuserAddress, "create function public.lower2(text) returns text immutable language sql as 'select lower($1)'",
            "alter table public.runs add constraint theirs check (public.lower2(id) is not null) not valid",
            "alter table public.runs add column theirs_default text default public.lower2('A')",
            "alter table public.runs add column theirs_generated text generated always as (public.lower2(id)) stored",
            "create type public.mood as enum ('a')", "alter table public.runs add column theirs_type public.mood",
            "create type public.array_mood as enum ('a')", "alter table public.runs add column theirs_array public.array_mood[]",
            "create sequence public.sq", "alter table public.runs add column theirs_sequence bigint default nextval('public.sq')",
            "create collation public.co (provider = icu, locale = 'de')",
            "alter table public.runs add column theirs_collation text collate public.co",
            "create domain public.dm as text", "alter table public.runs add column theirs_domain public.dm",
            "create table public.par (extra text)", "alter table public.runs add column extra text",
            "alter table public.runs inherit public.par");
        var where = folder.New();

        var backup = await MigratorConsole.Run(database.Address, "backup", "--output", where, "--json");

        Assert.True(backup.Exit == 0, backup.ToString());
        var path = backup.Json.GetProperty("path").GetString()!;
        string[] required = ["function lower2(text)", "type mood", "type array_mood[]", "sequence sq", "collation co", "type dm",
            "table par"];
        var requires = BackupSteps.Describe(path).Requires!;
        Assert.All(required, one => Assert.Contains(requires, line => line.EndsWith($": {one}", StringComparison.Ordinal)));
        Assert.Equal(9, requires.Count);
        Assert.Contains("need these objects of this database", backup.Errors);
        var restored = await MigratorConsole.Run(await PostgresTestDatabase.Empty("catalog_plain_owner"), "restore", path, "--json");
        Assert.Equal((1, "restore_failed"), (restored.Exit, restored.Code()));
        Assert.Contains("Create them in the target before the restore", restored.Errors);
    }

    [Theory]
    [InlineData("custom")]
    [InlineData("plain")]
    public async Task A_restore_drops_the_Catalogs_tables_and_keeps_tables_of_other_programs(string format)
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await BackupSteps.Fill(database);
        await DedicatedPostgres.Execute(database.SuperuserAddress, "create table public.theirs (id int primary key)",
            "insert into public.theirs values (1)");
        var before = await BackupSteps.Hash(database.Address);
        var path = await BackupSteps.BackUp(database.Address, folder.New(), "--format", format);
        string[] restore = ["restore", path, "--force", "--yes", "--database", new Uri(database.Address).AbsolutePath[1..]];

        await DedicatedPostgres.Execute(
            database.SuperuserAddress, "create function public.theirs_of(public.runs) returns text language sql as 'select $1.id'");
        var refused = await MigratorConsole.Run(database.Address, restore);
        Assert.NotEqual(0, refused.Exit);
        Assert.Contains("theirs_of", refused.Errors);
        await DedicatedPostgres.Execute(
            database.SuperuserAddress, "drop function public.theirs_of(public.runs)", "delete from public.runs");
        var restored = await MigratorConsole.Run(database.Address, restore);

        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(before, await BackupSteps.Hash(database.Address));
        await DedicatedPostgres.Execute(database.SuperuserAddress, "do $$ begin assert (select count(*) from public.theirs) = 1; end $$");
    }

    [Fact]
    public async Task A_newer_schema_is_not_backed_up()
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await DedicatedPostgres.Execute(
            database.SuperuserAddress, "insert into public.schemaversions (scriptname, applied) values ('9999_later.sql', now())");
        var result = await MigratorConsole.Run(database.Address, "backup", "--output", folder.New(), "--json");
        Assert.Equal("newer_schema", result.Code());
    }

    [Fact]
    public async Task A_backup_of_an_earlier_build_restores_without_its_other_objects()
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await BackupSteps.Fill(database);
        await DedicatedPostgres.Execute(database.SuperuserAddress, Others[..3]);
        await DedicatedPostgres.Execute(database.SuperuserAddress, Others[7..10]);
        var backup = await BackupSteps.BackUp(database.Address, folder.New());
        var fullDump = Path.Combine(folder.New(), Path.GetFileName(backup));
        Directory.CreateDirectory(Path.GetDirectoryName(fullDump)!);
        using (var dump = System.Diagnostics.Process.Start(PostgresPrograms.Find("pg_dump"),
            ["--format=custom", "--no-owner", "--no-privileges", $"--file={fullDump}", $"--dbname={database.SuperuserAddress}"]))
        {
            await dump.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, dump.ExitCode);
        }

        var content = await File.ReadAllBytesAsync(fullDump, TestContext.Current.CancellationToken);
        var old = BackupSteps.Copy(backup, folder.New(), content, manifest => manifest with
        {
            Schema = null,
            Bytes = content.Length,
            Sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)),
            Rows = manifest.Rows.Append(new("other.t", 1)).ToDictionary(),
        });

        var manifest = await File.ReadAllTextAsync(old + ".json", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(old + ".json", manifest.Replace("\"schema\": null,", "", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        var target = await PostgresTestDatabase.Empty("catalog_from_old");
        var restored = await MigratorConsole.Run(target, "restore", old);
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(await BackupSteps.Hash(database.Address), await BackupSteps.Hash(target));
    }

    [Theory]
    [InlineData("custom", "catalog")]
    [InlineData("plain", "user")]
    public async Task A_schema_other_than_public_is_backed_up_and_created_where_it_is_missing(string format, string schema)
    {
        (string, string)[] inCatalog = [("DATAXPIPE_PG_SCHEMA", schema)];
        var source = await PostgresTestDatabase.Empty("catalog_schema");
        await DedicatedPostgres.Execute(PostgresTestDatabase.AddressOf(new Uri(source).AbsolutePath[1..]),
            "revoke all on schema public from public", "alter schema public owner to current_user");
        Assert.Equal(0, (await MigratorConsole.Run(source, inCatalog, "upgrade")).Exit);
        var where = folder.New();

        var backup = await MigratorConsole.Run(source, inCatalog, "backup", "--output", where, "--format", format, "--json");
        Assert.True(backup.Exit == 0, backup.ToString());
        var path = backup.Json.GetProperty("path").GetString()!;
        Assert.Equal(schema, BackupSteps.Describe(path).Schema);
        Assert.Contains("runs", BackupSteps.Describe(path).Rows.Keys);

        var target = await PostgresTestDatabase.Empty("catalog_schema_target");
        var refused = await MigratorConsole.Run(target, "restore", path, "--json");
        Assert.Equal((2, "wrong_schema"), (refused.Exit, refused.Code()));
        Assert.Contains($"set DATAXPIPE_PG_SCHEMA={schema}", refused.Errors);
        var restored = await MigratorConsole.Run(target, inCatalog, "restore", path);
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(0, (await MigratorConsole.Run(target, inCatalog, "verify")).Exit);
        Assert.Equal(1, (await MigratorConsole.Run(target, inCatalog, "restore", path)).Exit);
        Assert.Equal(
            0, (await MigratorConsole.Run($"{target}?schema={schema}", [], "restore", path, "--force", "--yes", "--database",
                new Uri(target).AbsolutePath[1..])).Exit);
        var drill = await MigratorConsole.Run(source, inCatalog, "backups", "drill", where);
        Assert.True(drill.Exit == 0, drill.ToString());
    }

    [Fact]
    public async Task A_missing_right_for_a_restore_is_reported_with_the_statement_that_grants_it()
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        var path = await BackupSteps.BackUp(database.Address, folder.New());
        var target = await PostgresTestDatabase.Empty("catalog_no_right");
        var name = new Uri(target).AbsolutePath[1..];
        var role = $"catalog_plain_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} login password 'x'");
        try
        {
            var refused = await MigratorConsole.Run(
                DedicatedPostgres.WithUser(PostgresTestDatabase.AddressOf(name), role, "x"), "restore", path);
            Assert.Equal(1, refused.Exit);
            Assert.Contains($"grant create on schema public to {role};", refused.Errors);
            refused = await MigratorConsole.Run(DedicatedPostgres.WithUser(PostgresTestDatabase.AddressOf(name), role, "x"),
                [("DATAXPIPE_PG_SCHEMA", "catalog")], "upgrade");
            Assert.Contains($"create schema catalog authorization {role};", refused.Errors);

            await PostgresTestDatabase.Execute($"grant connect on database {name} to {role}; alter database {name} owner to {role}");
            var where = Path.GetDirectoryName(path)!;
            var drill = await MigratorConsole.Run(
                DedicatedPostgres.WithUser(PostgresTestDatabase.AddressOf(name), role, "x"), "backups", "drill",
                where);
            Assert.Equal(1, drill.Exit);
            Assert.Contains($"alter role {role} createdb;", drill.Errors);
        }
        finally
        {
            await PostgresTestDatabase.Execute($"alter database {name} owner to current_user; drop role {role}");
        }
    }
}
