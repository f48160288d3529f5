using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>The CPU time and memory of processes, from /proc.</summary>
internal static class ProcessUsage
{
    // USER_HZ, which is 100 on every architecture that .NET supports on Linux.
    private const double TicksPerSecond = 100;

    /// <summary>The CPU time of all threads of a process, in seconds; 0 when the process has ended.</summary>
    public static double CpuSeconds(int pid) => ReadStat(pid) is { } fields ? (Ticks(fields, 11) + Ticks(fields, 12)) / TicksPerSecond : 0;

    /// <summary>
    /// The CPU time of a process and its children, including ended children, in seconds: a Postgres server with its
    /// backends.
    /// </summary>
    public static double CpuSecondsWithChildren(int pid) =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(name => char.IsAsciiDigit(name![0])).Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Select(id => (Id: id, Fields: ReadStat(id)))
            .Where(process => process.Fields is not null && (process.Id == pid || Ticks(process.Fields, 1) == pid))
            .Sum(process => Ticks(process.Fields!, 11) + Ticks(process.Fields!, 12) + Ticks(process.Fields!, 13) + Ticks(
                process.Fields!, 14)) / TicksPerSecond;

    /// <summary>The resident memory, in MiB.</summary>
    public static double ResidentMebibytes(int pid) => File.ReadLines($"/proc/{pid}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024)
        .Single();

    // The fields of /proc/PID/stat from the third on. The second is the process name in parentheses, which can contain
    // any character.
    private static string[]? ReadStat(int pid)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{pid}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Ticks(string[] fields, int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);
}
