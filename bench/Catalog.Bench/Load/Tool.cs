using System.Diagnostics;

namespace Catalog.Bench.Load;

/// <summary>Programs that run to their end.</summary>
internal static class Tool
{
    /// <returns>What the program printed.</returns>
    /// <exception cref="BenchException">It is missing, failed or took too long.</exception>
    public static async Task<string> Run(
        IReadOnlyList<string> command, CancellationToken ct, TimeSpan? limit = null, IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory ?? "" };
        Child.Clean(start.Environment, environment);
        using var process = Launch(start);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(limit ?? TimeSpan.FromMinutes(5));
        try
        {
            var printed = process.StandardOutput.ReadToEndAsync(patience.Token);
            var complained = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode == 0
                ? await printed
                : throw new BenchException($"{string.Join(' ', command)} ended with {process.ExitCode}:\n{await printed}{await complained}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            throw new BenchException($"{command[0]} did not end in time.");
        }
    }

    public static bool Exists(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name)));

    private static Process Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new BenchException($"{start.FileName} could not be started: {exception.Message}.");
        }
    }
}
