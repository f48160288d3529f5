using System.Diagnostics;
using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>From the start of the published service, on SQLite without a file, to its first 200 of /ready.</summary>
internal static class StartWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var seconds = new List<double>();
        for (var start = 0; start < stand.Options.Starts; start++)
        {
            var file = Path.Combine(stand.NewFolder("start"), "catalog.db");
            var watch = Stopwatch.StartNew();
            await using var service = Service.Launch(stand, file);
            await service.WaitFor("/ready", ct);
            seconds.Add(watch.Elapsed.TotalSeconds);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds.Count} starts: median {Numbers.Median(seconds):0.000} s, least {seconds.Min():0.000} s, most {seconds.Max():0.000} s."));
        return [Goal.Most("start to ready, median", Numbers.Median(seconds), 1.0, "s")];
    }
}
