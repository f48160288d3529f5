using System.Globalization;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

/// <summary>
/// The rules that choose which backups are kept. A damaged backup never causes the removal of another.
/// </summary>
public sealed class BackupRotationTests(SqliteTestDatabase database, BackupFolder folder) : IClassFixture<SqliteTestDatabase>,
    IClassFixture<BackupFolder>
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    // 2026-11-21 is a Saturday. A ! at the end of a name marks a damaged backup.
    [Theory]
    [InlineData("the newest stays", 1, 0, 0, 0, null, "11-21 11-20 11-19", "11-20 11-19")]
    [InlineData("fewer backups than the number to keep", 7, 0, 0, 0, null, "11-21 11-20", "")]
    [InlineData("age alone removes nothing that is kept", 2, 0, 0, 0, 0, "01-02 01-01", "")]
    [InlineData("the newest of each day", 1, 2, 0, 0, null, "11-21T09 11-21T03 11-20T09 11-20T03 11-19T09", "11-21T03 11-20T03 11-19T09")]
    [InlineData("days without backups do not count", 1, 3, 0, 0, null, "11-21 11-10 10-01 09-01", "09-01")]
    [InlineData("weeks begin on Mondays", 1, 0, 2, 0, null, "11-21 11-16 11-15 11-09 11-08", "11-16 11-09 11-08")]
    [InlineData("weeks at the turn of the year", 1, 0, 2, 0, null, "01-03 01-01 12-30@2025 12-28@2025 12-27@2025",
        "01-01 12-30@2025 12-27@2025")]
    [InlineData("one a month", 1, 0, 0, 3, null, "11-21 11-01 10-31 10-01 09-30 08-31", "11-01 10-01 08-31")]
    [InlineData("rules add up", 2, 0, 0, 2, null, "11-21 11-20 11-19 10-05", "11-19")]
    [InlineData("only older backups are removed", 1, 0, 0, 0, 5, "11-21 11-20 11-17 11-15 11-01", "11-15 11-01")]
    [InlineData("a damaged backup does not count", 2, 0, 0, 0, null, "11-21 11-20! 11-19 11-18", "11-18")]
    [InlineData("a damaged backup does not count for its day", 1, 2, 0, 0, null, "11-21 11-20T09! 11-20T03 11-19", "11-19")]
    [InlineData("the last good backup stays at any age", 1, 0, 0, 0, 0, "11-21! 11-20! 01-01", "")]
    public async Task Backups_are_kept_by_date(string why, int last, int daily, int weekly, int monthly, int? olderThan, string backups,
        string removed)
    {
        var rules = new BackupRotation(last, daily, weekly, monthly, olderThan is { } days ? TimeSpan.FromDays(days) : null);

        var removable = await rules.Removable(backups.Split(' '), At, name => Task.FromResult(!name.EndsWith('!')), Now);

        Assert.True(removed == string.Join(' ', removable), $"{why}: {string.Join(' ', removable)}");
    }

    [Fact]
    public async Task A_dry_run_reports_the_files_that_a_run_removes()
    {
        var where = await Generations(10);
        var before = BackupSteps.Names(where);

        var dry = await MigratorConsole.Run("x.db", "backups", "prune", where, "--keep-last", "3", "--dry-run", "--json");
        Assert.Equal((0, 7), (dry.Exit, dry.Json.GetProperty("removed").GetArrayLength()));
        Assert.Equal(before, BackupSteps.Names(where));

        var run = await MigratorConsole.Run("x.db", "backups", "prune", where, "--keep-last", "3", "--json");
        Assert.Equal(dry.Json.GetProperty("removed").ToString(), run.Json.GetProperty("removed").ToString());
        Assert.Equal(before[^6..], BackupSteps.Names(where));
        // The default is to keep seven, and the minimum is one.
        Assert.Equal(0, (await MigratorConsole.Run("x.db", "backups", "prune", where, "--json")).Json.GetProperty("removed")
            .GetArrayLength());
        Assert.Equal(2, (await MigratorConsole.Run("x.db", "backups", "prune", where, "--keep-last", "0")).Exit);
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("file missing")]
    [InlineData("manifest garbled")]
    public async Task Nothing_is_removed_while_the_newest_backup_is_damaged(string harm)
    {
        var where = await Generations(4);
        var newest = Directory.GetFiles(where, "*.db").Order(StringComparer.Ordinal).Last();
        var content = await File.ReadAllBytesAsync(newest, Ct);
        switch (harm)
        {
            case "flipped": content[^10] ^= 1; await File.WriteAllBytesAsync(newest, content, Ct); break;
            case "cut": await File.WriteAllBytesAsync(newest, content[..^1], Ct); break;
            case "empty": await File.WriteAllBytesAsync(newest, [], Ct); break;
            case "file missing": File.Delete(newest); break;
            default: await File.WriteAllTextAsync(newest + ".json", "{", Ct); break;
        }

        var before = BackupSteps.Names(where);
        var refused = await MigratorConsole.Run("x.db", "backups", "prune", where, "--keep-last", "1", "--json");

        Assert.Equal((4, "newest_damaged"), (refused.Exit, refused.Code()));
        Assert.Equal(before, BackupSteps.Names(where));
    }

    [Fact]
    public async Task Damaged_unfinished_and_schema_only_backups_do_not_count_and_are_not_removed()
    {
        var where = await Generations(5);
        var files = Directory.GetFiles(where, "*.db").Order(StringComparer.Ordinal).ToList();
        // Third: damage that only the hash detects. Fourth: without a manifest. The newest backup is schema-only.
        var third = await File.ReadAllBytesAsync(files[2], Ct);
        third[^10] ^= 1;
        await File.WriteAllBytesAsync(files[2], third, Ct);
        File.Delete(files[3] + ".json");
        BackupSteps.Copy(files[0], where, await File.ReadAllBytesAsync(files[0], Ct), manifest =>
            manifest with { SchemaOnly = true, StartedAt = Now.AddMinutes(30) }, "catalog-20261121T123000Z-00000000.db");

        var run = await MigratorConsole.Run("x.db", "backups", "prune", where, "--keep-last", "2", "--json");

        Assert.True(run.Exit == 0, run.ToString());
        Assert.Equal([Path.GetFileName(files[0])], run.Json.GetProperty("removed").EnumerateArray().Select(name => name.GetString()));
        Assert.All(files[1..], file => Assert.True(File.Exists(file)));
        // Retention counts the backups of each database on their own.
        var other = BackupSteps.Copy(files[1], where, await File.ReadAllBytesAsync(files[1], Ct), manifest =>
            manifest with { Database = "another.db" }, "catalog-20250101T000000Z-00000000.db");
        await MigratorConsole.Run("x.db", "backups", "prune", where, "--keep-last", "1");
        Assert.True(File.Exists(other));
        Assert.False(File.Exists(files[1]));
    }

    [Theory]
    [InlineData("--keep")]
    [InlineData("--keep-last")]
    [InlineData("--keep-monthly")]
    public async Task A_refused_count_is_reported_with_the_option_as_typed(string option)
    {
        var refused = await MigratorConsole.Run("x.db", "backups", "prune", folder.Path, option, "-1");

        Assert.Equal(2, refused.Exit);
        Assert.StartsWith($"catalog-migrations: {option} must be a whole number from ", refused.Errors);
    }

    [Fact]
    public async Task A_failed_backup_removes_no_backup()
    {
        var where = await Generations(3);
        var before = BackupSteps.Names(where);

        Assert.Equal(7, (await MigratorConsole.Run("postgresql://nobody@127.0.0.1:1/nothing", "backup", "--output", where, "--keep", "1"))
            .Exit);
        Assert.Equal(7, (await MigratorConsole.Run(Path.Combine(folder.Path, "never.db"), "backup", "--output", where, "--keep", "1"))
            .Exit);

        Assert.Equal(before, BackupSteps.Names(where));
        Assert.Equal(0, (await MigratorConsole.Run(database.Address, "backup", "--output", where, "--keep", "2")).Exit);
        Assert.Equal(4, BackupSteps.Names(where).Length);
    }

    [Fact]
    public async Task Part_files_of_dead_runs_are_removed_after_a_day()
    {
        var where = folder.New();
        Directory.CreateDirectory(where);
        string Left(int process, int days)
        {
            var path = Path.Combine(where, $".catalog-20261101T000000Z-0000000{days}.db.{process}.part");
            File.WriteAllText(path, "half");
            File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-days));
            return path;
        }

        var (young, old, alive) = (Left(int.MaxValue, 0), Left(int.MaxValue, 2), Left(Environment.ProcessId, 3));
        // Run the backup in another process, because the files of a live process stay.
        Assert.Equal(0, (await MigratorConsole.RunProcess(database.Address, [], "backup", "--output", where)).Exit);

        Assert.Equal((true, false, true), (File.Exists(young), File.Exists(old), File.Exists(alive)));
    }

    [Fact]
    public async Task A_backup_with_a_future_time_stops_retention_and_no_backup_is_removed()
    {
        var where = await Generations(3);
        var path = Path.Combine(where, BackupSteps.Names(where)[0]);
        BackupSteps.Copy(path, where, await File.ReadAllBytesAsync(path, Ct), manifest =>
            manifest with { StartedAt = new(2136, 1, 1, 0, 0, 0, TimeSpan.Zero) }, "catalog-21360101T000000Z-00000000.db");
        var before = BackupSteps.Names(where).Length;

        var backup = await MigratorConsole.Run(database.Address, "backup", "--output", where, "--keep", "1", "--json");

        Assert.Equal((4, "newest_damaged"), (backup.Exit, backup.Code()));
        Assert.Equal(before + 2, BackupSteps.Names(where).Length);
    }

    [Fact]
    public async Task A_damaged_newest_backup_is_found_although_another_database_has_a_newer_one()
    {
        var where = await Generations(3);
        var newest = BackupSteps.Names(where).Where(name => name.EndsWith(".db", StringComparison.Ordinal)).Max(StringComparer.Ordinal)!;
        var content = await File.ReadAllBytesAsync(Path.Combine(where, newest), Ct);
        BackupSteps.Copy(Path.Combine(where, newest), where, content, manifest =>
            manifest with { Database = "another.db", StartedAt = Now.AddMinutes(5) }, Manifest.NewName(Now.AddMinutes(5), "db"));
        await File.WriteAllTextAsync(Path.Combine(where, newest + ".json"), "{", Ct);
        var before = BackupSteps.Names(where);

        var prune = await MigratorConsole.Run(database.Address, "backups", "prune", where, "--keep-last", "1", "--json");

        Assert.Equal((4, "newest_damaged"), (prune.Exit, prune.Code()));
        Assert.Equal(before, BackupSteps.Names(where));
    }

    private static DateTimeOffset At(string name)
    {
        var parts = name.TrimEnd('!').Split('@');
        var text = parts[0].Split('T');
        return DateTimeOffset.Parse($"{(parts.Length > 1 ? parts[1] : "2026")}-{text[0]}T{(text.Length > 1 ? text[1] : "00")}:00:00Z",
            CultureInfo.InvariantCulture);
    }

    // Creates one backup a day; the newest is of today.
    private async Task<string> Generations(int count)
    {
        var path = await BackupSteps.BackUp(database.Address, folder.New());
        var content = await File.ReadAllBytesAsync(path, Ct);
        var where = folder.New();
        for (var day = 0; day < count; day++)
        {
            var at = Now.AddDays(-day);
            BackupSteps.Copy(path, where, content, manifest => manifest with { StartedAt = at }, Manifest.NewName(at, "db"));
        }

        return where;
    }
}
