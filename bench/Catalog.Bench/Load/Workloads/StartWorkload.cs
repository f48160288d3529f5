using System.Diagnostics;
using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// The time from the start of the published service, on a new SQLite file, to the first 200 from /ready.
/// </summary>
internal static class StartWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var seconds = new List<double>();
        for (var start = 0; start < testBed.Options.Starts; start++)
        {
            var file = Path.Combine(testBed.NewFolder("start"), "catalog.db");
            var watch = Stopwatch.StartNew();
            await using var service = Service.Launch(testBed, file);
            await service.WaitFor("/ready", ct);
            seconds.Add(watch.Elapsed.TotalSeconds);
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{seconds.Count} starts: median {Statistics.Median(seconds):0.000} s, minimum {seconds.Min():0.000} s, maximum "
                    + $"{seconds.Max():0.000} s."));
        return [Goal.Maximum("start to ready, median", Statistics.Median(seconds), 1.0, "s")];
    }
}
