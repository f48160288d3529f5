using System.Diagnostics;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

/// <summary>The disk of the database is full while clients post, and has space again later.</summary>
[Trait("Category", "Faults")]
[Trait("Category", "Slow")]
public sealed class FullDiskTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Fault", "F19")]
    public async Task A_full_disk_of_SQLite_gives_503_until_it_has_space()
    {
        SmallDisk.Require();
        using var disk = new SmallDisk(megabytes: 32);
        var path = Path.Combine(disk.Folder, "catalog.db");
        await SqliteTestDatabase.AtHead(path);
        await using var database = new DatabaseAtAddress(path);

        await FillAndFree(database, disk);

        Assert.Equal("ok", await database.Database.One<string>("default", "pragma integrity_check", null, Ct));
    }

    [Fact]
    [Trait("Fault", "F17")]
    public async Task A_full_data_disk_of_Postgres_gives_503_until_it_has_space()
    {
        SmallDisk.Require();
        using var disk = new SmallDisk(megabytes: 64);
        using var server = PostgresCluster.Start(fsync: false).Require();
        // The write-ahead log stays on the other disk: without space for it the server stops, as in F03.
        await DedicatedPostgres.Execute(
            server.Uri, $"create tablespace small location '{disk.Folder}'", "create database catalog tablespace small");
        var address = new UriBuilder(server.Uri) { Path = "catalog" }.Uri.ToString();
        await TestDatabase.Migrate(address);
        await using var database = new DatabaseAtAddress(address);

        await FillAndFree(database, disk);
    }

    private static async Task FillAndFree(DatabaseAtAddress database, SmallDisk disk)
    {
        using var app = new CatalogApp(database);
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var clients = new RetryingClients(() => client);
        using var stop = new CancellationTokenSource();
        var posting = clients.Run(clients: 8, stop.Token);
        await Task.Delay(500, Ct);

        disk.Fill();
        var clock = Stopwatch.StartNew();
        var atFirst503 = 0;
        // Files may still have free pages, so the clients go on until the first refusal and for 2 s after it.
        while (clients.Refused == 0 || clock.Elapsed < TimeSpan.FromSeconds(2))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"No post is refused: {clients}");
            (clock, atFirst503) = clients.Refused == 0 ? (clock, clients.Acknowledged)
                : atFirst503 == int.MaxValue ? (clock, atFirst503) : (Stopwatch.StartNew(), int.MaxValue);
            await Task.Delay(20, Ct);
        }

        using var health = await client.GetAsync("/health", Ct);
        using var read = await client.GetAsync("/api/v1/pipelines/?limit=1", Ct);
        var (acknowledged, refused) = (clients.Acknowledged, clients.Refused);
        disk.Free();
        var back = Stopwatch.StartNew();
        while (clients.Acknowledged < acknowledged + 20)
        {
            Assert.True(back.Elapsed < TimeSpan.FromSeconds(15), "No post succeeds although the disk has space.");
            await Task.Delay(20, Ct);
        }

        back.Stop();
        await stop.CancelAsync();
        await posting;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{acknowledged} acknowledged and {refused} × 503 until the disk had space; 20 more posts acknowledged "
                + $"{back.Elapsed.TotalSeconds:0.0} s later");
        await clients.Compare(database.Database);
        Assert.Equal((200, 200), ((int)health.StatusCode, (int)read.StatusCode));
    }
}
