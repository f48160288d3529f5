using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Catalog.Bench.Load.Workloads;

namespace Catalog.Bench.Load;

/// <summary>One run of the load harness: the chosen workloads one after the other, and the goals at the end.</summary>
internal static class LoadRun
{
    private static readonly (string Name, Func<Stand, CancellationToken, Task<IReadOnlyList<Goal>>> Run)[] Workloads =
    [
        ("post", PostWorkload.Run),
        ("bulk", BulkWorkload.Run),
        ("list", ReadWorkload.List),
        ("get", ReadWorkload.Get),
        ("lineage", LineageWorkload.Run),
        ("isolation", IsolationWorkload.Run),
        ("growth", GrowthWorkload.Run),
        ("retention", RetentionWorkload.Run),
        ("sqlite", SqliteWorkload.Run),
        ("memory", MemoryWorkload.Run),
        ("start", StartWorkload.Run),
        ("peers", PeersWorkload.Run),
    ];

    public static async Task<int> Run(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await Run(LoadOptions.Read(arguments), stop.Token);
            return 0;
        }
        catch (BenchException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.Error.WriteLine("Stopped.");
            return 130;
        }
        // Were nobody to catch it, the servers would not be ended on the way out.
        catch (Exception exception)
        {
            Console.Error.WriteLine(exception);
            return 1;
        }
    }

    private static async Task Run(LoadOptions options, CancellationToken ct)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new BenchException("The load harness reads /proc and runs on Linux only.");
        }

        if (options.Workloads.Except(Workloads.Select(workload => workload.Name)).FirstOrDefault() is { } unknown)
        {
            throw new BenchException($"{unknown} is no workload.\n\n{LoadOptions.Usage}");
        }

        Console.Error.WriteLine("Publishing, and starting Postgres …");
        await using var stand = await Stand.Prepare(options, ct);
        await Describe(stand, ct);
        var goals = new List<Goal>();
        foreach (var (name, run) in Workloads.Where(workload => options.Workloads.Count == 0 || options.Workloads.Contains(workload.Name)))
        {
            var watch = Stopwatch.StartNew();
            Console.Error.WriteLine($"{name} …");
            Console.WriteLine($"\n### {name}\n");
            goals.AddRange(await run(stand, ct));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {watch.Elapsed.TotalSeconds:0} s"));
        }

        Console.WriteLine("\n### goals\n");
        Goal.Print(goals);
    }

    // What a reader must know to judge the figures.
    private static async Task Describe(Stand stand, CancellationToken ct)
    {
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[^1];
        var version = await stand.Postgres.Scalar<string>("postgres", "show server_version", ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {processor}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024 / 1024} GiB, {RuntimeInformation.FrameworkDescription}, PostgreSQL {version} ({string.Join(", ", Postgres.Settings)}), load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at the start.
            Service, Postgres, wrk (1 thread) and pgbench (-M prepared, 1 thread) share the machine and speak over loopback TCP without TLS. {stand.Options.Rounds} rounds of {stand.Options.Seconds} s in turns; figures are medians of rounds, ratios are medians of the rounds' ratios.
            The service: published Release build{(stand.Options.Set.Count == 0 ? "" : $", {string.Join(", ", stand.Options.Set.Select(setting => $"{setting.Key}={setting.Value}"))}")}.
            """));
    }
}
