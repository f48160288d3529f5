using System.Text.Json.Nodes;
using Catalog.Api.Executions;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Connections;
using Catalog.Data.Executions;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Catalog.Api.Demo;

/// <summary>
/// Fills the catalog of the demo before the service listens, and posts further events and results while the service
/// runs.
/// </summary>
internal sealed class DemoService(
    DemoFolder folder, DemoClient client, ConnectionRepository connections, ExecutionRepository executions, ExecutionSignals signals,
    ServiceSettings settings, IServer server, IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    // All posts of a step get one time of receipt. The steps are longer for older posts, so that there are fewer
    // commits: each commit waits for the disk.
    private static readonly (TimeSpan Age, TimeSpan Step)[] Grain =
    [
        (TimeSpan.FromHours(3), TimeSpan.FromMinutes(2)),
        (DemoTimeline.Detailed, TimeSpan.FromMinutes(20)),
        (DemoTimeline.Length, TimeSpan.FromHours(6)),
    ];

    private readonly DemoTimeline _timeline = new(time.Now());

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        await client.Start(cancellationToken);
        await DemoWarehouse.Create(folder.Warehouses, connections, time, cancellationToken);
        await Fill(now, cancellationToken);
        await Execute("core_orders", cancellationToken);
        lifetime.ApplicationStarted.Register(Announce);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await client.Stop(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        client.At = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = _timeline.Next - time.Now();
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await client.Post(_timeline.Take(time.Now()));
        }
    }

    private async Task Fill(DateTimeOffset now, CancellationToken ct)
    {
        var versions = DemoPipelines.All
            .SelectMany(pipeline => pipeline.Versions.Select((days, place) => (At: now.AddDays(-days), Body: pipeline.Body(place + 1))))
            .GroupBy(version => version.At).OrderBy(group => group.Key).ToList();
        foreach (var at in Steps(now).Union(versions.Select(group => group.Key)).Order())
        {
            ct.ThrowIfCancellationRequested();
            client.At = at;
            await client.Post(_timeline.Take(at));
            foreach (var group in versions.Where(group => group.Key == at))
            {
                await client.Register(group.Select(version => (JsonObject)version.Body), ct);
            }
        }
    }

    private static IEnumerable<DateTimeOffset> Steps(DateTimeOffset now)
    {
        for (var at = now - DemoTimeline.Length; at < now; at += Array.Find(Grain, grain => now - at <= grain.Age).Step)
        {
            yield return at;
        }

        yield return now;
    }

    // Queues one execution, so that the page of executions has something to show.
    private async Task Execute(string pipeline, CancellationToken ct)
    {
        var checks = await executions.Executable(Organization.Default, pipeline, null, 100, ct);
        await executions.Insert(Organization.Default, new()
        {
            Id = Guid.CreateVersion7().ToString(),
            PipelineId = pipeline,
            RequestedBy = "demo",
            CreatedAt = time.Now(),
            Checks = checks,
        }, maxQueued: 100, ct);
        signals.Wake();
    }

    private void Announce()
    {
        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? ServiceSettings.DefaultUrl;
        var signIn = settings.DevKeys ? "the development key signs in with one click" : "sign in with your key";
        Console.WriteLine($"The demo is at {address}/ui: {signIn}. Its data is temporary; Ctrl+C ends it.");
    }
}
