using System.Globalization;
using System.Text.RegularExpressions;

namespace Catalog.Bench.Load;

/// <summary>The reference: the database alone, by pgbench with prepared statements, one thread, over the same loopback TCP as the service.</summary>
internal sealed partial class PgbenchLoad(Stand stand, string database, string name, int clients, string script, int each = 1)
{
    private readonly string _script = Write(stand, script);

    public Contestant Contestant => new(name, Run);

    private async Task<Sample> Run(int seconds, CancellationToken ct)
    {
        var log = stand.NewFile("latency");
        var before = ProcessClock.SecondsOfFamily(stand.Postgres.ProcessId);
        var printed = await Tool.Run(
            [
                Path.Combine(stand.Postgres.Bin, "pgbench"), "-n", "-M", "prepared", "-j", "1", "-c", $"{clients}", "-T", $"{seconds}", "-f", _script,
                // One transaction of ten leaves its latency in a file.
                "-l", "--sampling-rate=0.1", $"--log-prefix={log}", "-h", "127.0.0.1", "-p", $"{stand.Postgres.Port}", "-U", "postgres", database,
            ],
            ct, TimeSpan.FromSeconds(seconds + 30), new Dictionary<string, string> { ["PGSSLMODE"] = "disable" });
        var used = ProcessClock.SecondsOfFamily(stand.Postgres.ProcessId) - before;
        double Number(Regex pattern) => double.Parse(pattern.Match(printed).Groups[1].Value, CultureInfo.InvariantCulture);
        var counted = Number(Transactions()) * each;
        var latencies = Directory.GetFiles(Path.GetDirectoryName(log)!, Path.GetFileName(log) + ".*")
            .SelectMany(File.ReadLines).Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 1000).ToList();
        return new()
        {
            Rate = Number(Rate()) * each,
            P50 = Numbers.Percentile(latencies, 0.5),
            P95 = Numbers.Percentile(latencies, 0.95),
            P99 = Numbers.Percentile(latencies, 0.99),
            PostgresMicroseconds = used / counted * 1e6,
            Acknowledged = (long)counted,
        };
    }

    private static string Write(Stand stand, string script)
    {
        var path = stand.NewFile("statement.sql");
        File.WriteAllText(path, script);
        return path;
    }

    [GeneratedRegex(@"number of transactions actually processed: (\d+)")]
    private static partial Regex Transactions();

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Rate();
}
