using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>A server of this run. It ends with this process, however that ends.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _said = new();
    private readonly Process _process;
    private readonly string _farewell;

    private Child(ProcessStartInfo start, string farewell)
    {
        _farewell = farewell;
        var started = new TaskCompletionSource<Process>();
        // The kernel ends the child when the thread that started it ends, so that thread lives as long as the child.
        new Thread(() =>
        {
            try
            {
                var process = Process.Start(start)!;
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or InvalidOperationException)
            {
                started.TrySetException(new BenchException($"{start.FileName} could not be started: {exception.Message}."));
            }
        })
        { IsBackground = true }.Start();
        _process = started.Task.GetAwaiter().GetResult();
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool Ended => _process.HasExited;

    /// <summary>The last lines that it printed.</summary>
    public string Said => string.Join('\n', _said);

    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">On top of this process's own, less what configures a Catalog.</param>
    /// <param name="directory">Where it works.</param>
    /// <param name="farewell">The signal that ends it.</param>
    /// <param name="user">Whom to run as where this process is root; null: as it is.</param>
    public static Child Start(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string directory, string farewell = "TERM", string? user = null)
    {
        IEnumerable<string> other = user is null || Environment.UserName != "root" ? [] : [$"--reuid={user}", $"--regid={user}", "--init-groups"];
        var start = new ProcessStartInfo("setpriv", [.. other, "--pdeathsig=KILL", "--", .. command])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Clean(start.Environment, environment);
        return new(start, farewell);
    }

    /// <summary>Takes away what would configure a Catalog by accident, and adds what is meant.</summary>
    public static void Clean(IDictionary<string, string?> environment, IReadOnlyDictionary<string, string>? added)
    {
        foreach (var name in environment.Keys.Where(name => name.StartsWith("DATAXPIPE_", StringComparison.Ordinal) || name.StartsWith("DATABASE", StringComparison.Ordinal)
            || name.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || name.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            environment.Remove(name);
        }

        foreach (var (name, value) in added ?? new Dictionary<string, string>())
        {
            environment[name] = value;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await Tool.Run(["kill", $"-{_farewell}", Id.ToString(CultureInfo.InvariantCulture)], limit.Token);
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or BenchException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _said.Enqueue(line);
            while (_said.Count > 40)
            {
                _said.TryDequeue(out _);
            }
        }
    }
}
