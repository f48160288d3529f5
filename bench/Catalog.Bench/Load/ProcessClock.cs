using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>What processes have used of the processor, and hold of memory, as Linux counts it.</summary>
internal static class ProcessClock
{
    // USER_HZ, which Linux shows to programs as 100 on every processor that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds that the process has computed, all threads together.</summary>
    public static double Seconds(int pid) => Read(pid) is { } fields ? (Tick(fields, 11) + Tick(fields, 12)) / TicksPerSecond : 0;

    /// <summary>The same of a process and its children, also of those that have ended: a Postgres server with its backends.</summary>
    public static double SecondsOfFamily(int pid) =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(name => char.IsAsciiDigit(name![0])).Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Select(id => (Id: id, Fields: Read(id)))
            .Where(process => process.Fields is not null && (process.Id == pid || Tick(process.Fields, 1) == pid))
            .Sum(process => Tick(process.Fields!, 11) + Tick(process.Fields!, 12) + Tick(process.Fields!, 13) + Tick(process.Fields!, 14)) / TicksPerSecond;

    /// <summary>Mebibytes of memory that are resident.</summary>
    public static double ResidentMebibytes(int pid) => File.ReadLines($"/proc/{pid}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024).Single();

    // The fields of proc(5) from the third on: the second is a name, in brackets, that may hold anything.
    private static string[]? Read(int pid)
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

    private static long Tick(string[] fields, int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);
}
