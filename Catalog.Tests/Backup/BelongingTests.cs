using Catalog.Migrations.Backup;
using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

/// <summary>A backup holds the Catalog's own objects, and restores as a plain owner, whatever others have put into the database.</summary>
public sealed class BelongingTests(BackupFolder folder) : IClassFixture<BackupFolder>
{
    // What administrators, providers and other programs leave in a database. The backup's role has no right on much of it.
    private static readonly string[] Others =
    [
        "create extension pg_stat_statements", "create extension citext", "comment on extension citext is 'x'", "create extension postgres_fdw",
        "create server far foreign data wrapper postgres_fdw", "create foreign table public.far_rows (id int) server far", "create foreign table public.\"Far \"\"Rows\" (id int) server far",
        "create schema other", "create table other.t (id int)", "insert into other.t values (1)", "alter table other.t enable row level security",
        "create function other.watch() returns event_trigger language plpgsql as 'begin end'", "create event trigger watched on ddl_command_end execute function other.watch()",
        "create publication everything for table public.runs", "comment on schema public is 'ours'", "alter default privileges in schema public grant select on tables to public",
        "grant select on public.runs to public",
    ];

    [Theory]
    [InlineData("custom")]
    [InlineData("plain")]
    public async Task What_others_put_into_the_database_stands_in_the_way_of_no_restore(string format)
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await Kit.Fill(database);
        await OwnPostgres.Execute(database.SuperuserAddress, Others);
        var where = folder.New();

        var path = await Kit.BackUp(database.Address, where, "--format", format);

        var manifest = Kit.Describe(path);
        Assert.Equal("public", manifest.Schema);
        Assert.Equal(["the foreign table \"Far \"\"Rows\"", "the foreign table far_rows"], manifest.Excluded.Order(StringComparer.Ordinal));
        Assert.Equal(0, (await MigratorConsole.Run(database.Address, "backups", "verify", path)).Exit);
        var target = await PostgresTestDatabase.Empty("catalog_plain_owner");
        await OwnPostgres.Execute(PostgresTestDatabase.AddressOf(new Uri(target).AbsolutePath[1..]), "create extension citext", "create schema other", "create table other.u (id int)");
        var restored = await MigratorConsole.Run(target, "restore", path);
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(await Kit.Hash(database.Address), await Kit.Hash(target));
        Assert.Equal(0, (await MigratorConsole.Run(target, "verify")).Exit);
        var drill = await MigratorConsole.Run(database.Address, "backups", "drill", where);
        Assert.True(drill.Exit == 0, drill.ToString());
    }

    [Fact]
    public async Task A_backup_of_an_earlier_build_restores_without_what_it_took_along()
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        await Kit.Fill(database);
        await OwnPostgres.Execute(database.SuperuserAddress, Others[..3]);
        await OwnPostgres.Execute(database.SuperuserAddress, Others[7..10]);
        var made = await Kit.BackUp(database.Address, folder.New());
        var whole = Path.Combine(folder.New(), Path.GetFileName(made));
        Directory.CreateDirectory(Path.GetDirectoryName(whole)!);
        using (var dump = System.Diagnostics.Process.Start(PostgresClient.Find("pg_dump"), ["--format=custom", "--no-owner", "--no-privileges", $"--file={whole}", $"--dbname={database.SuperuserAddress}"]))
        {
            await dump.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, dump.ExitCode);
        }

        var content = await File.ReadAllBytesAsync(whole, TestContext.Current.CancellationToken);
        var old = Kit.Copy(made, folder.New(), content, manifest => manifest with
        {
            Schema = null,
            Bytes = content.Length,
            Sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)),
            Rows = manifest.Rows.Append(new("other.t", 1)).ToDictionary(),
        });

        var manifest = await File.ReadAllTextAsync(old + ".json", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(old + ".json", manifest.Replace("\"schema\": null,", "", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var target = await PostgresTestDatabase.Empty("catalog_from_old");
        var restored = await MigratorConsole.Run(target, "restore", old);
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(await Kit.Hash(database.Address), await Kit.Hash(target));
    }

    [Theory]
    [InlineData("custom", "catalog")]
    [InlineData("plain", "user")]
    public async Task Another_schema_than_public_is_backed_up_and_made_where_it_is_missing(string format, string schema)
    {
        (string, string)[] inCatalog = [("DATAXPIPE_PG_SCHEMA", schema)];
        var source = await PostgresTestDatabase.Empty("catalog_schema");
        await OwnPostgres.Execute(PostgresTestDatabase.AddressOf(new Uri(source).AbsolutePath[1..]), "revoke all on schema public from public", "alter schema public owner to current_user");
        Assert.Equal(0, (await MigratorConsole.Run(source, inCatalog, "upgrade")).Exit);
        var where = folder.New();

        var backup = await MigratorConsole.Run(source, inCatalog, "backup", "--output", where, "--format", format, "--json");
        Assert.True(backup.Exit == 0, backup.ToString());
        var path = backup.Json.GetProperty("path").GetString()!;
        Assert.Equal(schema, Kit.Describe(path).Schema);
        Assert.Contains("runs", Kit.Describe(path).Rows.Keys);

        var target = await PostgresTestDatabase.Empty("catalog_schema_target");
        var refused = await MigratorConsole.Run(target, "restore", path, "--json");
        Assert.Equal((2, "wrong_schema"), (refused.Exit, refused.Code()));
        Assert.Contains($"set DATAXPIPE_PG_SCHEMA={schema}", refused.Errors);
        var restored = await MigratorConsole.Run(target, inCatalog, "restore", path);
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(0, (await MigratorConsole.Run(target, inCatalog, "verify")).Exit);
        Assert.Equal(1, (await MigratorConsole.Run(target, inCatalog, "restore", path)).Exit);
        Assert.Equal(0, (await MigratorConsole.Run($"{target}?schema={schema}", [], "restore", path, "--force", "--yes", "--database", new Uri(target).AbsolutePath[1..])).Exit);
        var drill = await MigratorConsole.Run(source, inCatalog, "backups", "drill", where);
        Assert.True(drill.Exit == 0, drill.ToString());
    }

    [Fact]
    public async Task Who_may_not_make_what_a_restore_needs_is_told_the_statement()
    {
        await using var database = new PostgresTestDatabase();
        await database.InitializeAsync();
        var path = await Kit.BackUp(database.Address, folder.New());
        var target = await PostgresTestDatabase.Empty("catalog_no_right");
        var name = new Uri(target).AbsolutePath[1..];
        var role = $"catalog_plain_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} login password 'x'");
        try
        {
            var refused = await MigratorConsole.Run(OwnPostgres.As(PostgresTestDatabase.AddressOf(name), role, "x"), "restore", path);
            Assert.Equal(1, refused.Exit);
            Assert.Contains($"grant create on schema public to {role};", refused.Errors);
            refused = await MigratorConsole.Run(OwnPostgres.As(PostgresTestDatabase.AddressOf(name), role, "x"), [("DATAXPIPE_PG_SCHEMA", "catalog")], "upgrade");
            Assert.Contains($"create schema catalog authorization {role};", refused.Errors);

            await PostgresTestDatabase.Execute($"grant connect on database {name} to {role}; alter database {name} owner to {role}");
            var where = Path.GetDirectoryName(path)!;
            var drill = await MigratorConsole.Run(OwnPostgres.As(PostgresTestDatabase.AddressOf(name), role, "x"), "backups", "drill", where);
            Assert.Equal(1, drill.Exit);
            Assert.Contains($"alter role {role} createdb;", drill.Errors);
        }
        finally
        {
            await PostgresTestDatabase.Execute($"alter database {name} owner to current_user; drop role {role}");
        }
    }
}
