using System.Diagnostics;
using Catalog.Tests.Backup;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Faults;

/// <summary>
/// Backups and restores on full disks and in killed processes: no incomplete file has a final name, earlier backups
/// stay, and the next backup works.
/// </summary>
[Trait("Category", "Faults")]
[Trait("Category", "Slow")]
public sealed class BackupFaultTests(PostgresTestDatabase postgres, SqliteTestDatabase sqlite, BackupFolder folder)
    : IClassFixture<PostgresTestDatabase>, IClassFixture<SqliteTestDatabase>, IClassFixture<BackupFolder>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("postgres")]
    [InlineData("postgres", "--compress", "none")]
    [InlineData("postgres", "--format", "plain")]
    [InlineData("postgres", "--format", "plain", "--compress", "none")]
    [InlineData("sqlite")]
    [InlineData("sqlite", "--compress", "1")]
    public async Task A_full_disk_fails_the_backup_and_keeps_earlier_backups(string engine, params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Mounting a small file system needs root.");
        var address = await Large(engine);
        var where = folder.New();
        Directory.CreateDirectory(where);
        await Execute("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", where);
        try
        {
            var earlier = Path.Combine(where, "catalog-20261101T000000Z-00000000.dump");
            await File.WriteAllTextAsync(earlier, "earlier", Ct);

            var result = await MigratorConsole.Run(address, ["backup", "--output", where, "--json", .. arguments]);

            Assert.True(result.Exit is 1 or 7, result.ToString());
            TestContext.Current.TestOutputHelper!.WriteLine(result.Errors);
            Assert.Equal([Path.GetFileName(earlier)], BackupSteps.Names(where));
            await Execute("mount", "-o", "remount,size=64m", where);
            Assert.Equal(0, (await MigratorConsole.Run(address, ["backup", "--output", where, .. arguments])).Exit);
        }
        finally
        {
            await Execute("umount", where);
        }
    }

    [Fact]
    public async Task A_full_disk_during_a_restore_leaves_no_target()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Mounting a small file system needs root.");
        var path = await BackupSteps.BackUp(await Large("sqlite"), folder.New(), "--compress", "1");
        var where = folder.New();
        Directory.CreateDirectory(where);
        await Execute("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", where);
        try
        {
            Assert.Equal(1, (await MigratorConsole.Run(Path.Combine(where, "restored.db"), "restore", path)).Exit);
            Assert.Empty(Directory.GetFiles(where));
        }
        finally
        {
            await Execute("umount", where);
        }
    }

    [Theory]
    [InlineData(400, "postgres")]
    [InlineData(400, "postgres", "--format", "plain")]
    [InlineData(400, "sqlite", "--compress", "9")]
    [InlineData(100, "postgres", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData(100, "postgres", "--format", "plain", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData(100, "sqlite", "--compress", "9", Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_killed_backup_leaves_no_incomplete_file_under_a_final_name(int every, string engine, params string[] arguments)
    {
        var address = await Large(engine);
        var where = folder.New();
        var earlier = await BackupSteps.BackUp(address, where, arguments);
        var (kills, partFiles) = (0, 0);
        async Task Kill(Func<Process, Task> moment)
        {
            using var process = MigratorConsole.Start(address, ["backup", "--output", where, .. arguments]);
            await moment(process);
            process.Kill();
            await process.WaitForExitAsync(Ct);
            kills++;
            partFiles += Directory.GetFiles(where, ".*.part").Length;
        }

        await Kill(async process =>
        {
            while (!process.HasExited && Directory.GetFiles(where, ".*.part").Length == 0)
            {
                await Task.Delay(1, Ct);
            }
        });
        for (var wait = 200; wait <= 1000; wait += every)
        {
            await Kill(_ => Task.Delay(wait, Ct));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{partFiles} part files found after {kills} kills");
        Assert.True(partFiles > 0);
        // Each backup with a manifest is complete. An incomplete file has no manifest or only a temporary name.
        var verified = await MigratorConsole.Run(address, "backups", "verify", "all", where, "--json");
        Assert.True(verified.Exit == 0, verified.ToString());
        Assert.Contains(Path.GetFileName(earlier), verified.Output);
        var next = await BackupSteps.BackUp(address, where, arguments);
        Assert.Equal(0, (await MigratorConsole.Run(address, "backups", "verify", next)).Exit);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_killed_upload_leaves_only_complete_backups_in_the_bucket(int every)
    {
        await using var store = await FakeS3.Start();
        var address = await Large("sqlite");
        var environment = store.Environment();
        const string Url = $"s3://{FakeS3.Bucket}/p";
        Assert.Equal(0, (await MigratorConsole.Run(address, environment, "backup", "--output", folder.New(), "--upload", Url)).Exit);
        var earlier = store.Objects.ToDictionary();
        var requests = store.Requests.Count;
        // Count down, so that the last request is always included.
        for (var at = requests; at >= 1; at -= every)
        {
            store.Forget();
            using var reached = new SemaphoreSlim(0);
            var k = at;
            store.FaultFor = (number, _, _) =>
            {
                if (number == k)
                {
                    reached.Release();
                    return S3Fault.NoResponse;
                }

                return S3Fault.None;
            };
            using var process = MigratorConsole.Start(address, ["backup", "--output", folder.New(), "--upload", Url],
                [.. environment, ("DATAXPIPE_S3_TIMEOUT", "60")]);
            Assert.True(await reached.WaitAsync(TimeSpan.FromMinutes(2), Ct));
            process.Kill();
            await process.WaitForExitAsync(Ct);
            store.FaultFor = (_, _, _) => S3Fault.None;
            var verified = await MigratorConsole.Run(address, environment, "backups", "verify", "all", Url);
            Assert.True(verified.Exit == 0, $"killed at request {at}: {verified}");
            Assert.All(earlier, entry => Assert.Equal(entry.Value, store.Objects[entry.Key]));
        }

        Assert.Equal(0, (await MigratorConsole.Run(address, environment, "backup", "--output", folder.New(), "--upload", Url)).Exit);
    }

    [Theory]
    [InlineData(325)]
    [InlineData(130, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_killed_restore_leaves_the_database_empty(int every)
    {
        var path = await BackupSteps.BackUp(await Large("postgres"), folder.New());
        var target = await PostgresTestDatabase.Empty("catalog_killed");
        var emptied = 0;
        for (var wait = 250; wait <= 900; wait += every)
        {
            using var process = MigratorConsole.Start(target, ["restore", path]);
            await Task.Delay(wait, Ct);
            process.Kill();
            await process.WaitForExitAsync(Ct);
            // The child process psql ends at the end of its input, and the server rolls back its transaction.
            await Task.Delay(1000, Ct);
            await using var connection = new NpgsqlConnection(Data.Database.PostgresUri.Parse("x", target).ConnectionString);
            var tables = await connection.ExecuteScalarAsync<long>(
                "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'");
            if (tables > 0)
            {
                Assert.Equal(40_000, await connection.ExecuteScalarAsync<long>("select count(*) from check_results"));
                break;
            }

            emptied++;
        }

        Assert.True(emptied > 0);
        TestContext.Current.TestOutputHelper!.WriteLine($"{emptied} kills left the database empty");
    }

    private async Task<string> Large(string engine)
    {
        TestDatabase database = engine == "postgres" ? postgres : sqlite;
        database.Require();
        // Random hexadecimal text, which compression does not make small.
        var noise = engine == "postgres" ? "md5(i::text) || md5((i * 7)::text) || md5((i * 11)::text)" : "hex(randomblob(48))";
        var hash = engine == "postgres" ? "'\\x00'::bytea" : "x'00'";
        var now = engine == "postgres" ? "now()" : "'2026-11-21T00:00:00.000000Z'";
        // Several statements: one of 40,000 rows may exceed the time limit on a busy machine.
        for (var first = 1; first < 40_000; first += 5_000)
        {
            await database.Database.Write("default", session => session.Execute($"""
                with recursive n(i) as (select {first} union all select i + 1 from n where i < {first + 4_999})
                insert into check_results (organization_id, id, pipeline_id, check_id, status, severity, executed_at, created_at, request_hash, message)
                select 'default', 'r' || i, 'load', 'c', 'pass', 'error', {now}, {now}, {hash}, {noise} from n where true
                on conflict do nothing
                """, null, Ct), Ct);
        }

        return database.Address;
    }

    private static async Task Execute(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(Ct);
        Assert.Equal(0, process.ExitCode);
    }
}
