using System.Diagnostics;

namespace Catalog.Bench.Load;

/// <summary>Runs programs and waits until they end.</summary>
internal static class ProcessRunner
{
    /// <returns>The standard output of the program.</returns>
    /// <exception cref="BenchException">The program does not exist, ended with another code than 0, or exceeded the
    /// limit (default: 5 minutes).</exception>
    public static async Task<string> Run(
        IReadOnlyList<string> command, CancellationToken ct, TimeSpan? limit = null,
        IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? ""
        };
        ServerProcess.SetVariables(start.Environment, environment);
        using var process = Launch(start);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(limit ?? TimeSpan.FromMinutes(5));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return process.ExitCode == 0
                ? await output
                : throw new BenchException(
                    $"{string.Join(' ', command)} ended with code {process.ExitCode}:\n{await output}{await errors}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            throw new BenchException($"{command[0]} exceeded the time limit.");
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
            throw new BenchException($"Cannot start {start.FileName}: {exception.Message}.");
        }
    }
}
