using System.Diagnostics;
using Catalog.Api.Operations;

namespace Catalog.Tests.Support;

/// <summary>The service as a process of its own, which a test can kill.</summary>
public sealed class ServiceProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-replica-").FullName;

    /// <param name="address">The value of DATAXPIPE_DB.</param>
    /// <param name="settings">Further settings.</param>
    public ServiceProcess(string address, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Health).Assembly.Location])
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

    /// <summary>Ends it without notice, as SIGKILL does.</summary>
    public void Dispose()
    {
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
                Canaries.Suite.Search("A log line of a process", line);
                Log.Add(line);
            }
        }
    }
}
