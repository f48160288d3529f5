using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

/// <summary>The service has few open files or little memory, or is told to stop, while clients post.</summary>
[Trait("Category", "Faults")]
[Trait("Category", "Slow")]
public sealed class ProcessLimitTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    private const string Memory = "/sys/fs/cgroup/memory";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static ITestOutputHelper Output => TestContext.Current.TestOutputHelper!;

    [Fact]
    [Trait("Fault", "F36")]
    public async Task A_service_with_512_open_files_survives_800_idle_connections()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/prlimit"), "prlimit is missing (Debian: apt-get install util-linux).");
        // The service itself has about 300 open files, most of them its assemblies. 112 connections are left.
        using var service = new ServiceProcess(["prlimit", "--nofile=512:512"], database.ServiceAddress);
        using var client = await service.Client();
        using (var patient = await service.Client())
        {
            await Register(patient);
        }

        client.Timeout = TimeSpan.FromSeconds(2);
        client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        var clients = new RetryingClients(() => client);
        await clients.Run(clients: 4, TimeSpan.FromSeconds(1));
        var before = clients.Acknowledged;

        var idle = new List<Socket>();
        for (var i = 0; i < 800; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            idle.Add(socket);
            await socket.ConnectAsync(client.BaseAddress!.Host, client.BaseAddress.Port, Ct);
        }

        var closed = 0;
        await Task.Delay(2000, Ct);
        foreach (var socket in idle)
        {
            closed += socket.Poll(0, SelectMode.SelectRead) ? 1 : 0;
        }

        Assert.True(service.IsRunning, string.Join('\n', service.Log));
        idle.ForEach(socket => socket.Dispose());
        var after = new RetryingClients(() => client);
        await after.Run(clients: 4, TimeSpan.FromSeconds(2));

        Output.WriteLine($"before: {before} acknowledged; {closed} of 800 idle connections closed; after them: {after}");
        Assert.True(service.IsRunning && closed > 600 && after.Acknowledged > 0, string.Join('\n', service.Log.TakeLast(20)));
        await clients.Compare(database.Database);
    }

    [Theory]
    [Trait("Fault", "F36")]
    [InlineData(4)]
    [InlineData(600, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_service_with_256_megabytes_stays_below_the_limit(int seconds)
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists($"{Memory}/memory.limit_in_bytes"),
            "A memory limit needs root and a memory control group (version 1).");
        var group = $"{Memory}/catalog-test-{Guid.NewGuid():N}";
        Directory.CreateDirectory(group);
        try
        {
            await File.WriteAllTextAsync($"{group}/memory.limit_in_bytes", "256M", Ct);
            using var service = new ServiceProcess(
                ["sh", "-c", $"echo $$ >{group}/cgroup.procs && exec \"$@\"", "sh"], database.ServiceAddress);
            using var client = await service.Client();
            await Register(client);
            var clients = new RetryingClients(() => client);
            var posting = clients.Run(clients: 16, TimeSpan.FromSeconds(seconds));
            await Bulks(client, seconds);
            await posting;

            var peak = long.Parse(await File.ReadAllTextAsync($"{group}/memory.max_usage_in_bytes", Ct), CultureInfo.InvariantCulture);
            Output.WriteLine($"{seconds} s: at most {peak >> 20} MB");
            Assert.True(service.IsRunning, string.Join('\n', service.Log.TakeLast(20)));
            await clients.Compare(database.Database);
            Assert.True(clients.Unknown == 0, clients.ToString());
        }
        finally
        {
            Directory.Delete(group);
        }
    }

    [Fact]
    [Trait("Fault", "F02")]
    public async Task A_terminated_service_cuts_no_request_and_exits_with_zero()
    {
        using var service = new ServiceProcess(database.ServiceAddress);
        using var client = await service.Client();
        await Register(client);
        var (cut, refused, acknowledged, drained) = (0, 0, 0, 0);
        // Each client stops when an answer closes its connection. Behind a proxy, it would go on with another replica.
        var posting = Task.WhenAll(Enumerable.Range(0, 16).Select(async number =>
        {
            for (var (i, closed) = (0, false); !closed; i++)
            {
                try
                {
                    using var answer = await client.PostJson(
                        "/api/v1/runs/", new { id = $"stop-{number}-{i}", pipeline_id = "load", status = "running" });
                    Interlocked.Increment(ref answer.IsSuccessStatusCode ? ref acknowledged : ref refused);
                    closed = answer.Headers.ConnectionClose is true;
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref cut);
                    closed = true;
                }
            }

            Interlocked.Increment(ref drained);
        }));
        await Task.Delay(1000, Ct);

        var exit = service.Terminate();
        await posting;
        using var ready = await client.GetAsync("/ready", Ct);
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await exit);

        var stored = await database.Database.One<int>(
            "default", "select count(*) from run_events where organization_id = 'default' and run_id like 'stop-%'", null, Ct);
        Output.WriteLine($"{acknowledged} acknowledged, {stored} stored, {refused} refused, {cut} cut; ended after "
            + $"{clock.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal((503, 0, 16), ((int)ready.StatusCode, cut, drained));
        Assert.Equal(acknowledged, stored);
    }

    // Bodies of about 1 MB, as many tools post them.
    private static async Task Bulks(HttpClient client, int seconds)
    {
        var text = new string('x', 1000);
        for (var until = Environment.TickCount64 + (1000L * seconds); Environment.TickCount64 < until;)
        {
            using var answer = await client.PostJson("/api/v1/checks/results", Enumerable.Range(0, 1000).Select(i =>
                new { pipeline_id = "load", check_id = $"bulk-{i % 10}", status = "pass", message = $"bulk-{Guid.NewGuid()}-{text}" }));
            Assert.True((int)answer.StatusCode is 201 or 503, $"{answer.StatusCode}");
        }
    }

    private static async Task Register(HttpClient client)
    {
        client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        Assert.True((await client.PostJson("/api/v1/pipelines/", new { name = "load" })).IsSuccessStatusCode);
    }
}
