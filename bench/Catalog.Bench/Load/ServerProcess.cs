using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>A server that this run starts. The kernel ends it when this process ends, even after a crash.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Process _process;
    private readonly string _stopSignal;

    private ServerProcess(ProcessStartInfo start, string stopSignal)
    {
        _stopSignal = stopSignal;
        var started = new TaskCompletionSource<Process>();
        // pdeathsig applies to the thread that started the server, so that thread must live as long as the server.
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
                started.TrySetException(new BenchException($"Cannot start {start.FileName}: {exception.Message}."));
            }
        })
        { IsBackground = true }.Start();
        _process = started.Task.GetAwaiter().GetResult();
        _process.OutputDataReceived += (_, line) => AddLine(line.Data);
        _process.ErrorDataReceived += (_, line) => AddLine(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool Ended => _process.HasExited;

    /// <summary>The last 40 lines of standard output and standard error.</summary>
    public string Output => string.Join('\n', _lines);

    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Variables to add to those of this process; variables that configure a Catalog are not
    /// inherited.</param>
    /// <param name="directory">The working directory.</param>
    /// <param name="stopSignal">The signal that stops the server, without the prefix SIG.</param>
    /// <param name="user">The user to run as when this process is root; null to keep the current user.</param>
    public static ServerProcess Start(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string directory, string stopSignal = "TERM",
        string? user = null)
    {
        IEnumerable<string> switchUser = user is null || Environment.UserName != "root"
            ? [] : [$"--reuid={user}", $"--regid={user}", "--init-groups"];
        var start = new ProcessStartInfo("setpriv", [.. switchUser, "--pdeathsig=KILL", "--", .. command])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        SetVariables(start.Environment, environment);
        return new(start, stopSignal);
    }

    /// <summary>
    /// Removes variables that would configure a Catalog or a Postgres client, then adds the given ones.
    /// </summary>
    public static void SetVariables(IDictionary<string, string?> environment, IReadOnlyDictionary<string, string>? added)
    {
        foreach (var name in environment.Keys.Where(name => name.StartsWith("DATAXPIPE_", StringComparison.Ordinal)
            || name.StartsWith("DATABASE", StringComparison.Ordinal)
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
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await ProcessRunner.Run(["kill", $"-{_stopSignal}", Id.ToString(CultureInfo.InvariantCulture)], timeout.Token);
                await _process.WaitForExitAsync(timeout.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or BenchException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    private void AddLine(string? line)
    {
        if (line is not null)
        {
            _lines.Enqueue(line);
            while (_lines.Count > 40)
            {
                _lines.TryDequeue(out _);
            }
        }
    }
}
