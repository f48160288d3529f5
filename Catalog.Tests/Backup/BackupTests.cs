using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;
using Npgsql;

namespace Catalog.Tests.Backup;

/// <summary>Backup, restore, drill and verification, on both engines and in every format.</summary>
[Trait("Category", "Slow")]
public sealed class BackupTests(FilledDatabases databases, BackupFolder folder) : IClassFixture<FilledDatabases>,
    IClassFixture<BackupFolder>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("postgres", "dump")]
    [InlineData("postgres", "dump", "--compress", "none")]
    [InlineData("postgres", "sql.gz", "--format", "plain")]
    [InlineData("postgres", "sql", "--format", "plain", "--compress", "none")]
    [InlineData("sqlite", "db")]
    [InlineData("sqlite", "db.gz", "--compress", "9")]
    public async Task A_restored_database_equals_the_backed_up_one(string engine, string extension, params string[] arguments)
    {
        var source = databases.Of(engine).Address;
        var where = folder.New();
        var before = await BackupSteps.Hash(source);

        var path = await BackupSteps.BackUp(source, where, arguments);
        var target = await Target(engine);
        var restored = await MigratorConsole.Run(target, "restore", path);

        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(before, await BackupSteps.Hash(target));
        Assert.Matches($@"^catalog-\d{{8}}T\d{{6}}Z-[0-9a-f]{{8}}\.{Regex.Escape(extension)}$", Path.GetFileName(path));
        Assert.Equal([Path.GetFileName(path), Path.GetFileName(path) + ".json"], BackupSteps.Names(where));
        var manifest = BackupSteps.Describe(path);
        Assert.Equal(
            (engine, 30L, 30L, false), (manifest.Engine, manifest.Rows["runs"], manifest.Rows["check_results"], manifest.SchemaOnly));
        Assert.Empty(manifest.Excluded);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"restored {manifest.SchemaRevision}, {manifest.AllRows} rows, "),
            restored.Output[..restored.Output.LastIndexOf("rows, ", StringComparison.Ordinal)] + "rows, ");
        Assert.Equal(0, (await MigratorConsole.Run(target, "verify")).Exit);
        Assert.Equal(0, (await MigratorConsole.Run(target, "backups", "verify", path)).Exit);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Theory]
    [InlineData("custom")]
    [InlineData("plain")]
    public async Task A_schema_only_backup_restores_to_an_empty_catalog_at_its_revision(string format)
    {
        var path = await BackupSteps.BackUp(databases.Of("postgres").Address, folder.New(), "--schema-only", "--format", format);
        var target = await Target("postgres");

        var restored = await MigratorConsole.Run(target, "restore", path);

        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(0, (await MigratorConsole.Run(target, "verify")).Exit);
        Assert.Equal(0, (await MigratorConsole.Run(target, "current")).Exit);
        Assert.NotEmpty(BackupSteps.Describe(path).Excluded);
        Assert.Equal(0, BackupSteps.Describe(path).AllRows);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_drill_restores_starts_the_service_and_leaves_nothing_behind(string engine)
    {
        var source = databases.Of(engine).Address;
        var where = folder.New();
        await BackupSteps.BackUp(source, where);
        await BackupSteps.BackUp(source, where);

        var drill = await MigratorConsole.Run(source, "backups", "drill", where, "--json");

        Assert.True(drill.Exit == 0, drill.ToString());
        Assert.True(drill.Json.GetProperty("passed").GetBoolean());
        Assert.InRange(drill.Json.GetProperty("rto_seconds").GetDouble(), 0.1, 60);
        Assert.InRange(drill.Json.GetProperty("rpo_seconds").GetDouble(), 0, 120);
        Assert.InRange(drill.Json.GetProperty("longest_interval_seconds").GetDouble(), 0, 120);
        Assert.Equal(3, drill.Json.GetProperty("steps").EnumerateArray()
            .Count(step => step.GetProperty("step").GetString()!.StartsWith("read /api/v1/", StringComparison.Ordinal)));
        await AssertScratchDatabasesAreDropped();
    }

    [Fact]
    public async Task A_failed_drill_drops_its_database_and_a_drill_skips_a_damaged_newest_backup()
    {
        var source = databases.Of("postgres").Address;
        var where = folder.New();
        var good = await BackupSteps.BackUp(source, where);
        Assert.Equal(2, (await MigratorConsole.Run(source, "backups", "drill", where, "--api", "/nowhere/Catalog.Api.dll")).Exit);
        // A program that ends at once is not a service.
        Assert.Equal(1, (await MigratorConsole.Run(source, "backups", "drill", where, "--api", typeof(Assert).Assembly.Location)).Exit);
        await AssertScratchDatabasesAreDropped();

        var newest = await BackupSteps.BackUp(source, where);
        File.WriteAllBytes(newest, [.. File.ReadAllBytes(newest)[..^1], 7]);
        var drill = await MigratorConsole.Run(source, "backups", "drill", where, "--json");

        Assert.Equal(4, drill.Exit);
        Assert.Equal(Path.GetFileName(good), drill.Json.GetProperty("backup").GetString());
        Assert.Equal(Path.GetFileName(newest), drill.Json.GetProperty("damaged")[0].GetString());
        await AssertScratchDatabasesAreDropped();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_target_that_is_not_empty_is_refused_unless_forced_by_name(string engine)
    {
        var path = await BackupSteps.BackUp(databases.Of(engine).Address, folder.New());
        var target = await Target(engine);
        await TestDatabase.Migrate(target);
        var name = engine == "sqlite" ? "restored.db" : new Uri(target).AbsolutePath[1..];
        var before = await BackupSteps.Hash(target);

        var refused = await MigratorConsole.Run(target, "restore", path, "--json");
        Assert.Equal((1, "not_empty"), (refused.Exit, refused.Code()));
        Assert.Equal(2, (await MigratorConsole.Run(target, "restore", path, "--force")).Exit);
        Assert.Equal(2, (await MigratorConsole.Run(target, "restore", path, "--force", "--yes", "--database", "another")).Exit);
        Assert.Equal(before, await BackupSteps.Hash(target));

        var forced = await MigratorConsole.Run(target, "restore", path, "--force", "--yes", "--database", name);
        Assert.True(forced.Exit == 0, forced.ToString());
        Assert.Equal(await BackupSteps.Hash(databases.Of(engine).Address), await BackupSteps.Hash(target));
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task The_manifest_counts_the_rows_of_the_backup_during_concurrent_writes(string engine)
    {
        TestDatabase database = engine == "sqlite" ? new SqliteTestDatabase() : new PostgresTestDatabase();
        await database.InitializeAsync();
        await using var ended = database;
        using var app = new CatalogApp(database.Require());
        using var client = app.Client();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                using var answer = await client.PostJson(
                    "/api/v1/checks/results", new { id = $"{writer}-{i}", pipeline_id = "load", check_id = "rows", status = "pass" });
                Assert.True(answer.IsSuccessStatusCode, answer.StatusCode.ToString());
            }
        })).ToList();
        while ((await client.GetJson("/api/v1/checks/results?limit=1")).GetProperty("items").GetArrayLength() == 0)
        {
            await Task.Delay(10, Ct);
        }

        // Concurrent backups may begin in the same second.
        var where = folder.New();
        var paths = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => BackupSteps.BackUp(database.Address, where)));
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.Equal(3, paths.Distinct().Count());
        foreach (var path in paths)
        {
            var target = await Target(engine);
            var restored = await MigratorConsole.Run(target, "restore", path);
            Assert.True(restored.Exit == 0, restored.ToString());
            await using var opened = MigrationDatabase.Open(TestDatabase.Read(target));
            Assert.Equal(BackupSteps.Describe(path).Rows, (await DatabaseContents.Read(opened, Ct)).Rows);
            Assert.True(BackupSteps.Describe(path).Rows["check_results"] > 0);
        }
    }

    [Fact]
    public async Task A_backup_of_the_other_engine_or_of_a_newer_schema_is_refused()
    {
        var path = await BackupSteps.BackUp(databases.Of("sqlite").Address, folder.New());
        var wrong = await MigratorConsole.Run(await Target("postgres"), "restore", path, "--json");
        Assert.Equal((2, "wrong_engine"), (wrong.Exit, wrong.Code()));

        var newer = BackupSteps.Copy(path, folder.New(), await File.ReadAllBytesAsync(path, Ct), manifest =>
            manifest with { SchemaRevision = "0999_future" });
        var target = await Target("sqlite");
        var refused = await MigratorConsole.Run(target, "restore", newer, "--json");
        Assert.Equal((4, "newer_schema"), (refused.Exit, refused.Code()));
        Assert.False(File.Exists(target));
    }

    [Fact]
    public async Task A_SQLite_file_in_use_is_not_replaced()
    {
        var path = await BackupSteps.BackUp(databases.Of("sqlite").Address, folder.New());
        var database = new SqliteTestDatabase();
        await database.InitializeAsync();
        using (var app = new CatalogApp(database))
        {
            using var client = app.Client();
            await client.PostJson("/api/v1/pipelines/", new { name = "mine" });
            var refused = await MigratorConsole.Run(database.Address, "restore", path, "--force", "--yes", "--database", "catalog.db",
                "--json");
            Assert.Equal((1, "in_use"), (refused.Exit, refused.Code()));
            Assert.Equal(1, (await client.GetJson("/api/v1/pipelines/")).GetProperty("items").GetArrayLength());
        }

        await database.DisposeAsync();
    }

    [Fact]
    public async Task List_and_verify_report_the_state_of_each_backup()
    {
        var where = folder.New();
        Directory.CreateDirectory(where);
        var none = await MigratorConsole.Run("x.db", "backups", "verify", "all", where, "--json");
        Assert.Equal((1, "no_backup"), (none.Exit, none.Code()));

        var source = databases.Of("sqlite").Address;
        var damaged = await BackupSteps.BackUp(source, where);
        var orphan = await BackupSteps.BackUp(source, where);
        var good = await BackupSteps.BackUp(source, where);
        File.Delete(orphan + ".json");
        File.WriteAllBytes(damaged, [.. File.ReadAllBytes(damaged)[..^1], 7]);

        string[] States(ConsoleResult list) =>
            [.. new[] { damaged, orphan, good }.Select(path =>
                list.Backups().Single(backup => backup.GetProperty("file").GetString() == Path.GetFileName(path)).GetProperty("state")
                    .GetString()!)];
        Assert.Equal(
            ["complete", "no_manifest", "complete"], States(await MigratorConsole.Run(source, "backups", "list", where, "--json")));
        Assert.Equal(["damaged", "no_manifest", "complete"],
            States(await MigratorConsole.Run(source, "backups", "list", where, "--deep", "--json")));
        var verified = await MigratorConsole.Run(source, "backups", "verify", "all", where);
        Assert.Equal(4, verified.Exit);
        Assert.Equal(3, verified.Output.TrimEnd().Split('\n').Length);
        Assert.Equal(4, (await MigratorConsole.Run(source, "backups", "verify", orphan)).Exit);
        Assert.Equal(0, (await MigratorConsole.Run(source, "backups", "verify", good)).Exit);
        Assert.Equal(4, (await MigratorConsole.Run(Path.Combine(folder.Path, "never.db"), "restore", orphan)).Exit);
        File.Delete(good);
        Assert.Equal(4, (await MigratorConsole.Run(source, "backups", "verify", "all", where)).Exit);
    }

    private async Task<string> Target(string engine)
    {
        var where = folder.New();
        Directory.CreateDirectory(where);
        return engine == "sqlite" ? Path.Combine(where, "restored.db") : await PostgresTestDatabase.Empty("catalog_restored");
    }

    // A drill of another test may be running: its database is dropped soon. One that a failed drill leaves would stay.
    private static async Task AssertScratchDatabasesAreDropped()
    {
        var found = await ScratchDatabases();
        for (var until = Environment.TickCount64 + 60_000; found.Count > 0; found = [.. found.Intersect(await ScratchDatabases())])
        {
            Assert.True(Environment.TickCount64 < until, string.Join(", ", found));
            await Task.Delay(250, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<List<string>> ScratchDatabases()
    {
        var settings = PostgresUri.Parse("POSTGRES_DSN", PostgresServer.Shared.Uri);
        await using var connection = new NpgsqlConnection(settings.ConnectionString + ";Pooling=false");
        return [.. await Dapper.SqlMapper.QueryAsync<string>(
            connection, "select datname from pg_database where datname like 'catalog\\_drill\\_%'")];
    }
}
