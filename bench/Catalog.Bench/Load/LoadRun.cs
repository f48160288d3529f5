using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Catalog.Bench.Load.Workloads;

namespace Catalog.Bench.Load;

/// <summary>One run of the load harness: the chosen workloads in sequence, then the table of goals.</summary>
internal static class LoadRun
{
    private static readonly (string Name, Func<TestBed, CancellationToken, Task<IReadOnlyList<Goal>>> Run)[] Workloads =
    [
        ("post", PostWorkload.Run),
        ("bulk", BulkWorkload.Run),
        ("events", EventsWorkload.Run),
        ("list", ReadWorkload.List),
        ("get", ReadWorkload.Get),
        ("lineage", LineageWorkload.Run),
        ("pages", PagesWorkload.Run),
        ("isolation", IsolationWorkload.Run),
        ("growth", GrowthWorkload.Run),
        ("scale", ScaleWorkload.Run),
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
        // An unhandled exception would end the process before the servers are stopped.
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
            throw new BenchException($"Unknown workload {unknown}.\n\n{LoadOptions.Usage}");
        }

        Console.Error.WriteLine("Publishing the service and starting Postgres …");
        await using var testBed = await TestBed.Create(options, ct);
        await Describe(testBed, ct);
        var goals = new List<Goal>();
        foreach (var (name, run) in Workloads.Where(workload => options.Workloads.Count == 0 || options.Workloads.Contains(workload.Name)))
        {
            var watch = Stopwatch.StartNew();
            Console.Error.WriteLine($"{name} …");
            Console.WriteLine($"\n### {name}\n");
            goals.AddRange(await run(testBed, ct));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {watch.Elapsed.TotalSeconds:0} s"));
        }

        Console.WriteLine("\n### goals\n");
        Goal.Print(goals);
    }

    // Prints the machine, the versions and the settings.
    private static async Task Describe(TestBed testBed, CancellationToken ct)
    {
        var processor = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[^1];
        var version = await testBed.Postgres.Scalar<string>("postgres", "show server_version", ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {processor}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024 / 1024} GiB, {RuntimeInformation.FrameworkDescription}, PostgreSQL {version} ({string.Join(", ", Postgres.Settings)}), load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at the start.
            Service, Postgres, wrk (1 thread) and pgbench (-M prepared, 1 thread) share the machine and communicate over loopback TCP without TLS. {testBed.Options.Rounds} rounds of {testBed.Options.Seconds} s, in turns; values are medians of the rounds, ratios are medians of the ratios of the rounds.
            The service: published Release build{(testBed.Options.Set.Count == 0 ? "" : $", {string.Join(", ", testBed.Options.Set.Select(setting => $"{setting.Key}={setting.Value}"))}")}.
            """));
    }
}
