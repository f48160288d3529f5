using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>Resident memory of the service while 128 clients post.</summary>
internal static class MemoryWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var service = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var idle = ProcessClock.ResidentMebibytes(service.ProcessId);
        var load = new ResultTable(stand, database).Watch(new HttpLoad(stand, service, "post, 128 clients", 128, Requests.Posts).Contestant).Run(stand.Options.MemorySeconds, ct);
        var seen = new List<double>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!load.IsCompleted && await timer.WaitForNextTickAsync(ct))
        {
            seen.Add(ProcessClock.ResidentMebibytes(service.ProcessId));
        }

        var sample = await load;
        // The first half is growing up: code is compiled and the heap finds its size.
        var slope = 60 * Numbers.Slope(seen[(seen.Count / 2)..]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sample.Rate:N0} requests/s for {stand.Options.MemorySeconds} s, {sample.Refused} not 2xx, {sample.Lost} lost. Resident MiB: idle {idle:0}, after a quarter {seen[seen.Count / 4]:0}, half {seen[seen.Count / 2]:0}, at the end {seen[^1]:0}, most {seen.Max():0}; slope of the second half {slope:0.0} MiB a minute."));
        await stand.DropDatabase(database, ct);
        // Flat: less than a tenth of what is allowed, in a minute.
        return [Goal.Most("memory, 128 clients: most", seen.Max(), 250, "MiB"), Goal.Most("memory, 128 clients: slope", slope, 25, "MiB a minute")];
    }
}
