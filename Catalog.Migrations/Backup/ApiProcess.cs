using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Catalog.Migrations.Backup;

/// <summary>
/// A process that runs the service. It listens on a free loopback port, uses the given database and has a random
/// platform key.
/// </summary>
internal sealed class ApiProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly HttpClient _client;
    private readonly List<string> _outputLines = [];

    private ApiProcess(string program, string address)
    {
        var port = FreePort();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var start = new ProcessStartInfo(Dotnet(), [program])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(program)!
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DATAXPIPE_", StringComparison.Ordinal)
            || name.StartsWith("DATABASE", StringComparison.Ordinal)
            || name.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || name.StartsWith("AWS_", StringComparison.Ordinal)
                || name == "URLS").ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["DATAXPIPE_DB"] = address;
        start.Environment["DATAXPIPE_PLATFORM_KEY"] = key;
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => RecordLine(line.Data);
        _process.ErrorDataReceived += (_, line) => RecordLine(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}"),
            Timeout = StartTimeout
        };
        _client.DefaultRequestHeaders.Add("X-API-KEY", key);
    }

    /// <summary>Finds the service's program: in this program's folder, in the container image or in the source tree.</summary>
    /// <param name="path">The file or its folder; null to search.</param>
    /// <exception cref="BackupException">The program was not found.</exception>
    public static string Find(string? path)
    {
        const string File = "Catalog.Api.dll";
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        // In the source tree, this program is in Catalog.Migrations/bin/Debug/net10.0.
        var tree = Path.Combine(here, "..", "..", "..", "..", "Catalog.Api", "bin", Path.GetFileName(Path.GetDirectoryName(here)) ?? "",
            Path.GetFileName(here), File);
        string[] places = path is not null
            ? [path, Path.Combine(path, File)] : [Path.Combine(here, File), Path.Combine(here, "..", "api", File), tree];
        return Path.GetFullPath(
            places.FirstOrDefault(place => place.EndsWith(".dll", StringComparison.Ordinal) && System.IO.File.Exists(place))
            ?? throw new BackupException(ExitCode.Usage, "usage", path is null
                ? "Catalog.Api.dll was not found next to this program: set its path with --api."
                    : $"No Catalog.Api.dll was found at {path}. Correct the path of --api."));
    }

    /// <summary>Starts the service and waits until it is ready.</summary>
    /// <exception cref="BackupException">The process ended, or was not ready within 60 seconds.</exception>
    public static async Task<ApiProcess> Start(string program, string address, CancellationToken ct)
    {
        var api = new ApiProcess(program, address);
        try
        {
            await api.WaitUntilReady(ct);
            return api;
        }
        catch
        {
            api.Dispose();
            throw;
        }
    }

    /// <summary>Sends a GET request.</summary>
    /// <exception cref="BackupException">The status code is not 200.</exception>
    public async Task Get(string path, CancellationToken ct)
    {
        using var response = await _client.GetAsync(path, ct);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new BackupException(ExitCode.Failed, "service_failed",
                $"The service on the restored database returned status {(int)response.StatusCode} for GET {path}. Check that "
                    + "Catalog.Api.dll is of the same version as this program.");
        }

        await response.Content.CopyToAsync(Stream.Null, ct);
    }

    public void Dispose()
    {
        _client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(5000);
        }

        _process.Dispose();
    }

    private async Task WaitUntilReady(CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var response = await _client.GetAsync("/ready", ct);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // The service does not listen yet.
            }

            if (_process.HasExited || clock.Elapsed > StartTimeout)
            {
                string[] lastLines;
                lock (_outputLines)
                {
                    lastLines = [.. _outputLines.TakeLast(3)];
                }

                throw new BackupException(ExitCode.Failed, "service_failed",
                    (_process.HasExited
                        ? $"The service ended with exit code {_process.ExitCode} before it was ready on the restored database. "
                        : $"The service was not ready on the restored database after {StartTimeout.TotalSeconds:0} s. ")
                        + (lastLines.Length == 0 ? "It wrote no output." : $"The end of its output: {string.Join(" ", lastLines)}"));
            }

            await Task.Delay(50, ct);
        }
    }

    private void RecordLine(string? line)
    {
        lock (_outputLines)
        {
            if (!string.IsNullOrWhiteSpace(line) && _outputLines.Count < 1000)
            {
                _outputLines.Add(line);
            }
        }
    }

    private static string Dotnet() => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path
        : Environment.ProcessPath is { } process && Path.GetFileNameWithoutExtension(process) == "dotnet" ? process : "dotnet";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
