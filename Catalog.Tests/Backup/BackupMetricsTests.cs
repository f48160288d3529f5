using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

public sealed class BackupMetricsOnSqlite(SqliteTestDatabase database, BackupFolder folder)
    : BackupMetricsTests(database, folder), IClassFixture<SqliteTestDatabase>;

public sealed class BackupMetricsOnPostgres(PostgresTestDatabase database, BackupFolder folder)
    : BackupMetricsTests(database, folder), IClassFixture<PostgresTestDatabase>;

/// <summary>The file for node_exporter, from which Prometheus computes the age of the newest backup.</summary>
public abstract class BackupMetricsTests(TestDatabase database, BackupFolder folder) : IClassFixture<BackupFolder>
{
    private readonly TestDatabase _database = database.Require();

    private string NewFolder() => Directory.CreateDirectory(folder.New()).FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_good_backup_replaces_the_file_and_a_failed_one_leaves_it()
    {
        var (where, file) = (NewFolder(), Path.Combine(NewFolder(), "catalog.prom"));
        var before = DateTimeOffset.Parse("2026-01-01T00:00:00Z", null).ToUnixTimeSeconds();
        await File.WriteAllTextAsync(file, "old", Ct);

        var result = await MigratorConsole.Run(_database.Address, "backup", "--output", where, "--metrics", file);
        var text = await File.ReadAllTextAsync(file, Ct);
        var blocked = Path.Combine(where, "file");
        await File.WriteAllTextAsync(blocked, "", Ct);
        var failed = await MigratorConsole.Run(_database.Address, "backup", "--output", Path.Combine(blocked, "x"), "--metrics", file);

        Assert.True(result.Exit == 0, result.ToString());
        Assert.NotEqual(0, failed.Exit);
        Assert.Equal(text, await File.ReadAllTextAsync(file, Ct));
        Assert.Equal(["catalog.prom"], Directory.GetFiles(Path.GetDirectoryName(file)!).Select(Path.GetFileName));
        var samples = text.Split('\n').Where(line => line.StartsWith("catalog_", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, samples.Count);
        Assert.Matches("^catalog_backup_last_success_timestamp_seconds\\{engine=\"(sqlite|postgres)\",database=\"[^\"]+\"\\} [0-9.]+$",
            samples[0]);
        Assert.InRange(double.Parse(samples[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), before, double.MaxValue);
        Assert.EndsWith("\n", text);
    }

    [Theory]
    [InlineData("catalog.txt", "must end in .prom")]
    [InlineData("missing/catalog.prom", "does not exist")]
    public async Task A_file_that_the_collector_would_not_read_is_refused_before_the_backup(string name, string expected)
    {
        var where = NewFolder();

        var result = await MigratorConsole.Run(_database.Address, "backup", "--output", where, "--metrics",
            Path.Combine(where, name));

        Assert.Equal(2, result.Exit);
        Assert.Contains(expected, result.Errors);
        Assert.Empty(Directory.GetFiles(where));
    }
}
