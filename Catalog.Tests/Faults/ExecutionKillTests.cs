using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Catalog.Data;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Faults;

/// <summary>Three replicas execute scheduled checks while they are killed at random.</summary>
[Trait("Category", "Faults")]
[Collection(nameof(Alone))]
[Trait("Category", "Slow")]
public sealed class ExecutionKillTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private static readonly string[] Organizations = ["default", "a", "b", "c", "d"];

    // The time after which the warehouse ends a connection. It is long enough that some kills hit running executions.
    private static readonly TimeSpan CheckTime = TimeSpan.FromMilliseconds(400);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(60, 10, 3)]
    [InlineData(1000, 90, 40, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Each_tick_is_executed_once_and_none_is_lost(int ticks, int seconds, int kills)
    {
        database.Require();
        using var warehouse = new TcpListener(IPAddress.Loopback, 0);
        warehouse.Start();
        _ = EndConnections(warehouse);
        var began = Stopwatch.StartNew();
        await Schedule(ticks, TimeSpan.FromSeconds(seconds), ((IPEndPoint)warehouse.LocalEndpoint).Port);
        var random = new Random(20261126);
        var replicas = Enumerable.Range(0, 3).Select(_ => Start()).ToList();
        try
        {
            for (var i = 0; i < kills; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds((double)seconds / kills * (0.5 + random.NextDouble())), Ct);
                var place = random.Next(replicas.Count);
                replicas[place].Dispose();
                replicas[place] = Start();
            }

            await WaitUntilDone(ticks, replicas);
        }
        finally
        {
            replicas.ForEach(replica => replica.Dispose());
        }

        await using var owner = await DedicatedPostgres.Open(database.Address);
        var executed = (await owner.QueryAsync<(string Check, long Executions, long Outcomes, long Results)>("""
            select checks.organization_id || '/' || checks.check_id, count(*), count(checks.status),
                   (select count(*) from check_results as results
                    where results.organization_id = checks.organization_id and results.check_id = checks.check_id)
            from execution_checks as checks
            group by checks.organization_id, checks.check_id
            """)).ToList();
        var (executions, taken) = await owner.QuerySingleAsync<(long, long)>(
            "select count(*), count(*) filter (where attempts > 1) from executions");
        var (twice, lost) = (executed.Count(check => check.Executions > 1 || check.Results > 1), ticks - executed.Count);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{ticks} ticks in {seconds} s, {kills} kills of 3 replicas: {executed.Count} executed, {twice} twice, {lost} lost; "
                + $"{executions} executions, {taken} of them taken over; {began.Elapsed.TotalSeconds:0} s in all");
        Assert.Equal((0, 0), (twice, lost));
        Assert.All(executed, check => Assert.Equal((1, 1, 1), (check.Executions, check.Outcomes, check.Results)));
        Assert.Equal(0, await owner.ExecuteScalarAsync<long>("select count(*) from executions where status <> 'completed'"));
    }

    private ServiceProcess Start() => new(database.ServiceAddress, ("DATAXPIPE_EXECUTION_LEASE", "3"),
        ("DATAXPIPE_EXECUTION_QUEUE", "5000"), ("DATAXPIPE_PG_POOL_MAX", "5"));

    // Each check has one tick. The ticks are spread over the time, and the next tick of a check is almost a year later.
    private async Task Schedule(int ticks, TimeSpan time, int port)
    {
        await using var owner = await DedicatedPostgres.Open(database.Address);
        var start = TimeProvider.System.Now().AddSeconds(2).ToUnixTimeMilliseconds();
        var year = TimeProvider.System.Now().AddDays(-1);
        var rows = Enumerable.Range(0, ticks).Select(i => new
        {
            organization = Organizations[i % Organizations.Length],
            id = $"check-{i}",
            schedule = $"0 0 {year.Day} {year.Month} *",
            due = start + (long)(time.TotalMilliseconds * i / ticks),
            now = TimeProvider.System.Now(),
        }).ToList();
        await owner.ExecuteAsync("""
            insert into connections (organization_id, id, type, config, created_at, updated_at)
            values (@organization, 'w', 'postgres', @config, @now, @now)
            """, Organizations.Select(organization => new
        {
            organization,
            config = $$"""{"host":"127.0.0.1","port":{{port}},"user":"u","dbname":"d","sslmode":"disable"}""",
            now = TimeProvider.System.Now(),
        }));
        await owner.ExecuteAsync("""
            insert into checks (organization_id, pipeline_id, id, connection_id, kind, severity, definition, created_at, updated_at)
            values (@organization, '', @id, 'w', 'row_count', 'error', '{"kind":"row_count","connection_id":"w","params":{"table":"t"}}',
                @now, @now)
            """, rows);
        await owner.ExecuteAsync("""
            insert into check_schedules (organization_id, pipeline_id, check_id, schedule, time_zone, due_ms)
            values (@organization, '', @id, @schedule, 'UTC', @due)
            """, rows);
    }

    private static async Task EndConnections(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                _ = Task.Delay(CheckTime).ContinueWith(_ => client.Dispose(), TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task WaitUntilDone(int ticks, List<ServiceProcess> replicas)
    {
        await using var owner = await DedicatedPostgres.Open(database.Address);
        var waited = Stopwatch.StartNew();
        while (await owner.ExecuteScalarAsync<long>("""
            select (select count(*) from check_schedules where due_ms < @horizon) + (select count(*) from executions where due_ms is not null)
            """, new { horizon = TimeProvider.System.Now().AddDays(30).ToUnixTimeMilliseconds() }) > 0)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(2),
                $"{ticks} ticks are not executed:\n{string.Join('\n', replicas.SelectMany(replica => replica.Log.TakeLast(10)))}");
            await Task.Delay(200, Ct);
        }
    }
}
