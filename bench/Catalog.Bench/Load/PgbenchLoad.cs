using System.Globalization;
using System.Text.RegularExpressions;

namespace Catalog.Bench.Load;

/// <summary>
/// The reference: the database alone. pgbench uses prepared statements, one thread, and loopback TCP as the service
/// does.
/// </summary>
internal sealed partial class PgbenchLoad(TestBed testBed, string database, string name, int clients, string script, int rowsPerRequest = 1)
{
    private readonly string _script = WriteScript(testBed, script);

    public Candidate Candidate => new(name, Run);

    private async Task<Sample> Run(int seconds, CancellationToken ct)
    {
        var log = testBed.NewFile("latency");
        var before = ProcessUsage.CpuSecondsWithChildren(testBed.Postgres.ProcessId);
        var output = await ProcessRunner.Run(
            [
                Path.Combine(testBed.Postgres.Bin, "pgbench"), "-n", "-M", "prepared", "-j", "1", "-c", $"{clients}", "-T", $"{seconds}",
                "-f", _script,
                // Logs the latency of every tenth transaction.
                "-l", "--sampling-rate=0.1", $"--log-prefix={log}", "-h", "127.0.0.1", "-p", $"{testBed.Postgres.Port}", "-U", "postgres",
                database,
            ],
            ct, TimeSpan.FromSeconds(seconds + 30), new Dictionary<string, string> { ["PGSSLMODE"] = "disable" });
        var used = ProcessUsage.CpuSecondsWithChildren(testBed.Postgres.ProcessId) - before;
        double Number(Regex pattern) => double.Parse(pattern.Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        var counted = Number(Transactions()) * rowsPerRequest;
        var latencies = Directory.GetFiles(Path.GetDirectoryName(log)!, Path.GetFileName(log) + ".*")
            .SelectMany(File.ReadLines).Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 1000).ToList();
        return new()
        {
            Rate = Number(Rate()) * rowsPerRequest,
            P50 = Statistics.Percentile(latencies, 0.5),
            P95 = Statistics.Percentile(latencies, 0.95),
            P99 = Statistics.Percentile(latencies, 0.99),
            PostgresMicroseconds = used / counted * 1e6,
            Acknowledged = (long)counted,
        };
    }

    private static string WriteScript(TestBed testBed, string script)
    {
        var path = testBed.NewFile("statement.sql");
        File.WriteAllText(path, script);
        return path;
    }

    [GeneratedRegex(@"number of transactions actually processed: (\d+)")]
    private static partial Regex Transactions();

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Rate();
}
