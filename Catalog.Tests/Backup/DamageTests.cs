using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

/// <summary>Backups cut and flipped, each format: none is restored, none is called good, and the target stays as it was.</summary>
public sealed class DamageTests(FilledDatabases databases, BackupFolder folder) : IClassFixture<FilledDatabases>, IClassFixture<BackupFolder>
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
    public async Task Cut_or_flipped_it_is_refused(string engine, string arguments)
    {
        var path = await Kit.BackUp(databases.Of(engine).Address, folder.New(), arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var target = await Target(engine);
        await using var database = MigrationDatabase.Open(TestDatabase.Read(target));
        var cases = Damaged(await File.ReadAllBytesAsync(path, Ct)).ToList();
        Assert.Equal(26, cases.Count);
        foreach (var (what, content) in cases)
        {
            var copy = Kit.Copy(path, folder.New(), content);
            using var place = new LocalFolder(Path.GetDirectoryName(copy)!);
            var kept = await (await StoredBackup.List(place, Ct)).Single().Check(place, Ct);
            Assert.True(kept.State == BackupState.Damaged, what);

            var refused = await Assert.ThrowsAsync<BackupException>(() => BackupRestore.Run(database, copy, Kit.Describe(copy), (_, _) => Task.CompletedTask, DatabaseSettings.DefaultAppRole, Ct));
            Assert.Equal(4, refused.Exit);
        }

        await AssertEmpty(engine, target, database);
        // The console says so too.
        var one = Kit.Copy(path, folder.New(), cases[3].Content);
        Assert.Equal(4, (await MigratorConsole.Run(target, "restore", one)).Exit);
        Assert.Equal(4, (await MigratorConsole.Run(target, "backups", "verify", one)).Exit);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_manifest_made_to_fit_the_damage_brings_no_success_with_missing_rows(string engine, string arguments)
    {
        var path = await Kit.BackUp(databases.Of(engine).Address, folder.New(), arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var succeeded = 0;
        var target = await Target(engine);
        var database = MigrationDatabase.Open(TestDatabase.Read(target));
        foreach (var (what, content) in Damaged(await File.ReadAllBytesAsync(path, Ct)))
        {
            var copy = Path.Combine(folder.New(), Path.GetFileName(path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            await File.WriteAllBytesAsync(copy, content, Ct);
            var forged = Kit.Describe(path) with { Bytes = content.Length, Sha256 = await BackupCheck.Hash(copy, Ct) };
            try
            {
                await BackupRestore.Run(database, copy, forged, (_, _) => throw new InvalidOperationException("It should be empty."), DatabaseSettings.DefaultAppRole, Ct);
            }
            catch (BackupException)
            {
                await AssertEmpty(engine, target, database);
                continue;
            }
            catch (MigrationException)
            {
                // A letter of the journal's own sums: every row is there, and it is refused all the same.
            }

            // A flipped letter in a value, or in what nobody reads: all rows are there.
            Assert.StartsWith("byte", what, StringComparison.Ordinal);
            Assert.Equal(forged.Rows, (await DatabaseContents.Read(database, Ct)).Rows);
            await database.DisposeAsync();
            target = await Target(engine);
            database = MigrationDatabase.Open(TestDatabase.Read(target));
            succeeded++;
        }

        await database.DisposeAsync();
        TestContext.Current.TestOutputHelper!.WriteLine($"{engine} {arguments}: {succeeded} of 26 restored with every row");
        // Without compression only the hash knows of a letter; compressed, the check sums inside know too.
        Assert.InRange(succeeded, 0, arguments is "--format plain" or "--compress 6" ? 2 : 20);
    }

    [Theory]
    [InlineData("custom")]
    [InlineData("plain")]
    public async Task Rows_that_are_missing_from_a_whole_dump_undo_the_restore(string format)
    {
        var source = databases.Of("postgres").Address;
        var path = await Kit.BackUp(source, folder.New(), "--format", format);
        var target = await Target("postgres");
        await using var database = MigrationDatabase.Open(TestDatabase.Read(target));
        var manifest = Kit.Describe(path);
        foreach (var lie in new[]
        {
            manifest with { Rows = new Dictionary<string, long>(manifest.Rows) { ["runs"] = 31 } },
            manifest with { Rows = new Dictionary<string, long>(manifest.Rows) { ["lost"] = 0 } },
            manifest with { Rows = new Dictionary<string, long>(manifest.Rows) { ["runs; drop table runs"] = 0 } },
            manifest with { SchemaFingerprint = new string('0', 64) },
            manifest with { SchemaFingerprint = "' or true --" },
        })
        {
            // Past the examination, straight to the restore: the transaction itself must refuse.
            var refused = await Assert.ThrowsAsync<BackupException>(() => PostgresArchive.Restore(database, path, lie, (_, _) => throw new InvalidOperationException("It should be empty."), Ct));
            Assert.True(refused.Exit == 4, refused.Message);
            await AssertEmpty("postgres", target, database);
        }

        await PostgresArchive.Restore(database, path, manifest, (_, _) => throw new InvalidOperationException("It should be empty."), Ct);
        Assert.Equal(manifest.Rows, (await DatabaseContents.Read(database, Ct)).Rows);
    }

    [Fact]
    public async Task A_program_that_falls_silent_is_not_waited_for()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => PostgresClient.Run("/bin/sh", ["-c", "echo begun; sleep 30"], new Dictionary<string, string?>(), null, null, Ct, TimeSpan.FromSeconds(0.3)));
        Assert.Equal(0, (await PostgresClient.Run("/bin/sh", ["-c", "for i in 1 2 3; do sleep 0.2; echo $i; done"], new Dictionary<string, string?>(), null, null, Ct, TimeSpan.FromSeconds(5))).Exit);
    }

    [Fact]
    public async Task A_script_that_leaves_before_its_commit_is_no_success()
    {
        var path = await Kit.BackUp(databases.Of("postgres").Address, folder.New(), "--format", "plain", "--compress", "none");
        var target = await Target("postgres");
        await using var database = MigrationDatabase.Open(TestDatabase.Read(target));
        // Without the lines that newer programs guard a script with, psql takes it for the wish to end, and ends well.
        var lines = (await File.ReadAllLinesAsync(path, Ct)).Where(line => !line.StartsWith("\\restrict", StringComparison.Ordinal) && !line.StartsWith("\\unrestrict", StringComparison.Ordinal));
        var text = string.Join('\n', lines).Replace("-- PostgreSQL database dump complete", "\\q\n-- PostgreSQL database dump complete", StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text, Ct);

        var refused = await Assert.ThrowsAsync<BackupException>(() => PostgresArchive.Restore(database, path, Kit.Describe(path), (_, _) => Task.CompletedTask, Ct));

        Assert.Contains("did not reach the commit", refused.Message);
        await AssertEmpty("postgres", target, database);
    }

    private static IEnumerable<(string What, byte[] Content)> Damaged(byte[] whole)
    {
        foreach (var percent in new[] { 1, 10, 50, 90, 99, 99.9 })
        {
            yield return ($"{percent} %", whole[..(int)(whole.Length * percent / 100)]);
        }

        // The same places each time.
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
