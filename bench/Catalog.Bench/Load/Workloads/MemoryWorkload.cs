using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>The resident memory of the service while 128 clients post, measured once a second.</summary>
internal static class MemoryWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var idle = ProcessUsage.ResidentMebibytes(service.ProcessId);
        var load = new ResultTable(testBed, database).CheckLosses(new HttpLoad(testBed, service, "post, 128 clients", 128, Requests.Posts)
            .Candidate).Run(testBed.Options.MemorySeconds, ct);
        var samples = new List<double>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!load.IsCompleted && await timer.WaitForNextTickAsync(ct))
        {
            samples.Add(ProcessUsage.ResidentMebibytes(service.ProcessId));
        }

        var sample = await load;
        // Memory grows in the first half, while code is compiled and the heap reaches its size. So only the second half
        // counts for the slope.
        var slope = 60 * Statistics.Slope(samples[(samples.Count / 2)..]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sample.Rate:N0} requests/s for {testBed.Options.MemorySeconds} s, {sample.Failed} not 2xx, {sample.Lost} lost. "
                + $"Resident MiB: idle {idle:0}, after a quarter {samples[samples.Count / 4]:0}, half "
                + $"{samples[samples.Count / 2]:0}, at the end {samples[^1]:0}, maximum {samples.Max():0}; slope of the second "
                + $"half {slope:0.0} MiB per minute."));
        await testBed.DropDatabase(database, ct);
        // The memory counts as stable if it grows by less than a tenth of its limit per minute.
        return [Goal.Maximum("memory, 128 clients: maximum", samples.Max(), 250, "MiB"),
            Goal.Maximum("memory, 128 clients: slope", slope, 25, "MiB per minute")];
    }
}
