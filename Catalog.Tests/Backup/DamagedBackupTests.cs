using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Backup;

/// <summary>
/// Truncated and bit-flipped backups in each format are not restored and are reported as damaged. The target stays
/// unchanged.
/// </summary>
[Trait("Fault", "F31")]
[Trait("Category", "Slow")]
public sealed class DamagedBackupTests(FilledDatabases databases, BackupFolder folder) : IClassFixture<FilledDatabases>,
    IClassFixture<BackupFolder>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Formats => new()
    {
        { "postgres", "" },
        { "postgres", "--compress none" },
        { "postgres", "--format plain" },
        { "postgres", "--format plain --compress none" },
        { "sqlite", "" },
        { "sqlite", "--compress 6" },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_truncated_or_bit_flipped_backup_is_refused(string engine, string arguments)
    {
        var path = await BackupSteps.BackUp(
            databases.Of(engine).Address, folder.New(), arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var target = await Target(engine);
        await using var database = MigrationDatabase.Open(TestDatabase.Read(target));
        var cases = Damaged(await File.ReadAllBytesAsync(path, Ct)).ToList();
        Assert.Equal(26, cases.Count);
        foreach (var (what, content) in cases)
        {
            var copy = BackupSteps.Copy(path, folder.New(), content);
            using var place = new LocalFolder(Path.GetDirectoryName(copy)!);
            var backup = await (await StoredBackup.List(place, Ct)).Single().Check(place, Ct);
            Assert.True(backup.State == BackupState.Damaged, what);

            var refused = await Assert.ThrowsAsync<BackupException>(() =>
                BackupRestore.Run(database, copy, BackupSteps.Describe(copy), (_, _) =>
                    Task.CompletedTask, DatabaseSettings.DefaultAppRole, Ct));
            Assert.Equal(4, refused.Exit);
        }

        await AssertEmpty(engine, target, database);
        // The console refuses it too.
        var damaged = BackupSteps.Copy(path, folder.New(), cases[3].Content);
        Assert.Equal(4, (await MigratorConsole.Run(target, "restore", damaged)).Exit);
        Assert.Equal(4, (await MigratorConsole.Run(target, "backups", "verify", damaged)).Exit);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_read_is_damage_of_the_backup()
    {
        var path = await BackupSteps.BackUp(databases.Of("sqlite").Address, folder.New());
        await using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            await connection.ExecuteAsync("update schemaversions set applied = 'no time' where schemaversionsid = 1");
        }

        var content = await File.ReadAllBytesAsync(path, Ct);
        var forged = BackupSteps.Describe(path) with { Bytes = content.Length, Sha256 = await BackupCheck.Hash(path, Ct) };
        Assert.Contains("journal", Assert.Single(await BackupCheck.FindFaults(path, forged, Ct)), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_forged_manifest_does_not_let_a_restore_with_missing_rows_succeed(string engine, string arguments)
    {
        var path = await BackupSteps.BackUp(
            databases.Of(engine).Address, folder.New(), arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var succeeded = 0;
        var target = await Target(engine);
        var database = MigrationDatabase.Open(TestDatabase.Read(target));
        foreach (var (what, content) in Damaged(await File.ReadAllBytesAsync(path, Ct)))
        {
            var copy = Path.Combine(folder.New(), Path.GetFileName(path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            await File.WriteAllBytesAsync(copy, content, Ct);
            var forged = BackupSteps.Describe(path) with { Bytes = content.Length, Sha256 = await BackupCheck.Hash(copy, Ct) };
            try
            {
                await BackupRestore.Run(database, copy, forged, (_, _) => throw new InvalidOperationException("It should be empty."),
                    DatabaseSettings.DefaultAppRole, Ct);
            }
            catch (BackupException)
            {
                await AssertEmpty(engine, target, database);
                continue;
            }
            catch (MigrationException)
            {
                // The flipped bit is in a checksum of the journal: all rows exist, but the restore is refused.
            }

            // The flipped bit is in a value or in unused bytes: all rows exist.
            Assert.StartsWith("byte", what, StringComparison.Ordinal);
            Assert.Equal(forged.Rows, (await DatabaseContents.Read(database, Ct)).Rows);
            await database.DisposeAsync();
            target = await Target(engine);
            database = MigrationDatabase.Open(TestDatabase.Read(target));
            succeeded++;
        }

        await database.DisposeAsync();
        TestContext.Current.TestOutputHelper!.WriteLine($"{engine} {arguments}: {succeeded} of 26 restored with every row");
        // Without compression only the hash detects a flipped bit. Compressed files also have internal checksums.
        Assert.InRange(succeeded, 0, arguments is "--format plain" or "--compress 6" ? 2 : 20);
    }

    [Theory]
    [InlineData("custom")]
    [InlineData("plain")]
    public async Task Missing_rows_roll_back_the_restore(string format)
    {
        var source = databases.Of("postgres").Address;
        var path = await BackupSteps.BackUp(source, folder.New(), "--format", format);
        var target = await Target("postgres");
        await using var database = MigrationDatabase.Open(TestDatabase.Read(target));
        var manifest = BackupSteps.Describe(path);
        foreach (var forged in new[]
        {
            manifest with { Rows = new Dictionary<string, long>(manifest.Rows) { ["runs"] = 31 } },
            manifest with { Rows = new Dictionary<string, long>(manifest.Rows) { ["lost"] = 0 } },
            manifest with { Rows = new Dictionary<string, long>(manifest.Rows) { ["runs; drop table runs"] = 0 } },
            manifest with { SchemaFingerprint = new string('0', 64) },
            manifest with { SchemaFingerprint = "' or true --" },
        })
        {
            // Call the restore directly, without the check of the file: the transaction itself must fail.
            var refused = await Assert.ThrowsAsync<BackupException>(() =>
                PostgresRestore.Run(database, path, forged, (_, _) => throw new InvalidOperationException("It should be empty."), Ct));
            Assert.True(refused.Exit == 4, refused.Message);
            await AssertEmpty("postgres", target, database);
        }

        await PostgresRestore.Run(database, path, manifest, (_, _) => throw new InvalidOperationException("It should be empty."), Ct);
        Assert.Equal(manifest.Rows, (await DatabaseContents.Read(database, Ct)).Rows);
    }

    [Fact]
    public async Task A_silent_program_times_out()
    {
        await Assert.ThrowsAsync<TimeoutException>(() =>
            PostgresPrograms.Run("/bin/sh", ["-c", "echo begun; sleep 30"], new Dictionary<string, string?>(), null, null, Ct,
                TimeSpan.FromSeconds(0.3)));
        Assert.Equal(
            0, (await PostgresPrograms.Run("/bin/sh", ["-c", "for i in 1 2 3; do sleep 0.2; echo $i; done"],
                new Dictionary<string, string?>(), null, null, Ct, TimeSpan.FromSeconds(5))).Exit);
    }

    [Fact]
    public async Task A_script_that_quits_before_its_commit_fails_the_restore()
    {
        var path = await BackupSteps.BackUp(databases.Of("postgres").Address, folder.New(), "--format", "plain", "--compress", "none");
        var target = await Target("postgres");
        await using var database = MigrationDatabase.Open(TestDatabase.Read(target));
        // Newer programs guard a script with \restrict. Without these lines, psql quits at \q with exit code 0.
        var lines = (await File.ReadAllLinesAsync(path, Ct)).Where(line => !line.StartsWith("\\restrict", StringComparison.Ordinal)
            && !line.StartsWith("\\unrestrict", StringComparison.Ordinal));
        var text = string.Join('\n', lines).Replace("-- PostgreSQL database dump complete", "\\q\n-- PostgreSQL database dump complete",
            StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text, Ct);

        var refused = await Assert.ThrowsAsync<BackupException>(() =>
            PostgresRestore.Run(database, path, BackupSteps.Describe(path), (_, _) => Task.CompletedTask, Ct));

        Assert.Contains("did not reach the commit", refused.Message);
        await AssertEmpty("postgres", target, database);
    }

    private static IEnumerable<(string What, byte[] Content)> Damaged(byte[] whole)
    {
        foreach (var percent in new[] { 1, 10, 50, 90, 99, 99.9 })
        {
            yield return ($"{percent} %", whole[..(int)(whole.Length * percent / 100)]);
        }

        // A fixed seed: the same bits in each run.
        var random = new Random(20261121);
        for (var i = 0; i < 20; i++)
        {
            var flipped = whole.ToArray();
            var at = random.Next(whole.Length);
            flipped[at] ^= (byte)(1 << random.Next(8));
            yield return ($"byte {at}", flipped);
        }
    }

    private static async Task AssertEmpty(string engine, string target, MigrationDatabase database)
    {
        if (engine == "sqlite")
        {
            Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(target)!));
        }
        else
        {
            Assert.Empty((await DatabaseContents.Read(database, Ct)).Rows);
        }
    }

    private async Task<string> Target(string engine)
    {
        var where = folder.New();
        Directory.CreateDirectory(where);
        return engine == "sqlite" ? Path.Combine(where, "restored.db") : await PostgresTestDatabase.Empty("catalog_damaged");
    }
}
