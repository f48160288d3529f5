using System.Diagnostics;
using System.Net.Sockets;
using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

/// <summary>
/// Tests with a third-party store. It checks no signatures, but implements listings, copies and multipart uploads
/// independently.
/// </summary>
[Trait("Category", "Npm")]
public sealed class S3rverTests(S3rverPackage package, SqliteTestDatabase database, BackupFolder folder) : IClassFixture<S3rverPackage>,
    IClassFixture<SqliteTestDatabase>, IClassFixture<BackupFolder>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_uploaded_backup_is_restored_and_pruned()
    {
        package.Require();
        // Enough rows for more than one part.
        await database.Database.Write("default", session => session.Execute("""
            with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
            insert into check_results (organization_id, id, pipeline_id, check_id, status, severity, executed_at, created_at, request_hash, message)
            select 'default', 'r' || i, 'load', 'c', 'pass', 'error', '2026-11-21T00:00:00.000000Z', '2026-11-21T00:00:00.000000Z', x'00', hex(randomblob(600)) from n
            """, null, Ct), Ct);
        var port = PostgresCluster.FreePort();
        // s3rver keeps a bucket as a folder, so this creates the bucket.
        Directory.CreateDirectory(Path.Combine(package.Directory, "store", "backups"));
        using var store = Process.Start(new ProcessStartInfo("node",
            [Path.Combine(package.Directory, "node_modules", "s3rver", "bin", "s3rver.js"), "-d", Path.Combine(package.Directory, "store"),
                "-a", "127.0.0.1", "-p", $"{port}"])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        store.OutputDataReceived += (_, _) => { };
        store.ErrorDataReceived += (_, _) => { };
        store.BeginOutputReadLine();
        store.BeginErrorReadLine();
        try
        {
            for (var tries = 0; !Answers(port); tries++)
            {
                Assert.True(tries < 100 && !store.HasExited, "s3rver did not start.");
                await Task.Delay(100, Ct);
            }

            (string, string)[] environment = [("DATAXPIPE_S3_ENDPOINT", $"http://127.0.0.1:{port}"), ("AWS_ACCESS_KEY_ID", "S3RVER"),
                ("AWS_SECRET_ACCESS_KEY", "S3RVER"), ("DATAXPIPE_S3_ATTEMPTS", "1")];
            var names = new List<string>();
            for (var i = 0; i < 2; i++)
            {
                var backup = await MigratorConsole.Run(database.Address, environment, "backup", "--output", folder.New(), "--upload",
                    "s3://backups/a/b", "--json");
                Assert.True(backup.Exit == 0, backup.ToString());
                names.Add(Path.GetFileName(backup.Json.GetProperty("path").GetString()!));
                Assert.True(BackupSteps.Describe(backup.Json.GetProperty("path").GetString()!).Bytes > 17 << 20);
            }

            var verified = await MigratorConsole.Run("x.db", environment, "backups", "verify", "all", "s3://backups/a/b", "--json");
            Assert.True(verified.Exit == 0, verified.ToString());
            Assert.Equal(names.Order(StringComparer.Ordinal), verified.Backups().Select(backup => backup.GetProperty("file").GetString()!)
                .Order(StringComparer.Ordinal));
            var target = Path.Combine(folder.Path, "restored.db");
            Assert.Equal(0, (await MigratorConsole.Run(target, environment, "restore", $"s3://backups/a/b/{names[1]}")).Exit);
            Assert.Equal(await BackupSteps.Hash(database.Address), await BackupSteps.Hash(target));
            var pruned = await MigratorConsole.Run("x.db", environment, "backups", "prune", "s3://backups/a/b", "--keep-last", "1",
                "--json");
            Assert.Equal(names[0], Assert.Single(pruned.Json.GetProperty("removed").EnumerateArray()).GetString());
        }
        finally
        {
            store.Kill(entireProcessTree: true);
            await store.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static bool Answers(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
