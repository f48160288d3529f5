using System.Diagnostics;
using Catalog.Api.Operations;

namespace Catalog.Tests.Support;

/// <summary>The service as a process of its own, which a test can kill.</summary>
public sealed class ServiceProcess : IDisposable
{
    private readonly Process _process;
    private bool _disposed;
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-replica-").FullName;

    /// <param name="address">The value of DATAXPIPE_DB.</param>
    /// <param name="settings">Further settings.</param>
    public ServiceProcess(string address, params (string Name, string Value)[] settings) : this([], address, settings)
    {
    }

    /// <param name="prefix">A program with arguments that sets limits and then executes the service.</param>
    /// <param name="address">The value of DATAXPIPE_DB.</param>
    /// <param name="settings">Further settings.</param>
    public ServiceProcess(string[] prefix, string address, params (string Name, string Value)[] settings)
    {
        string[] command = [.. prefix, "dotnet", typeof(Health).Assembly.Location];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = _directory,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["DATAXPIPE_DB"] = address;
        start.Environment["DATAXPIPE_PLATFORM_KEY"] = CatalogApp.Key;
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        // A full pipe would block the service.
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The lines of its log.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Waits until the service listens.</summary>
    /// <returns>A client of the first address.</returns>
    public async Task<HttpClient> Client()
    {
        const string Listening = "Now listening on: ";
        var line = (await Lines(Listening)).Find(line => line.Contains(Listening, StringComparison.Ordinal))!;
        var address = line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Split('"')[0].Trim();
        return new HttpClient(new SecretSearchHandler(SecretSearch.Suite)) { BaseAddress = new(address) };
    }

    /// <summary>Waits until a line of the log contains a text.</summary>
    /// <returns>The lines so far.</returns>
    public async Task<List<string>> Lines(string text)
    {
        for (var tries = 0; tries < 600; tries++)
        {
            lock (Log)
            {
                if (Log.Exists(line => line.Contains(text, StringComparison.Ordinal)))
                {
                    return [.. Log];
                }
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"No line of the log contains {text}:\n{string.Join('\n', Log)}");
    }

    /// <summary>Whether it runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Tells it to stop, as an orchestrator does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Ends it without notice, as SIGKILL does.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private void Keep(string? line)
    {
        lock (Log)
        {
            if (line is not null)
            {
                SecretSearch.Suite.Search("A log line of a process", line);
                Log.Add(line);
            }
        }
    }
}
