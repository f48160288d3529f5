using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Catalog.Migrations.Backup;

/// <summary>The service, started on a free port of loopback over a database of its own with a key that nobody else knows.</summary>
internal sealed class ApiProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly HttpClient _client;
    private readonly List<string> _said = [];

    private ApiProcess(string program, string address)
    {
        var port = FreePort();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var start = new ProcessStartInfo(Dotnet(), [program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetDirectoryName(program)! };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DATAXPIPE_", StringComparison.Ordinal) || name.StartsWith("DATABASE", StringComparison.Ordinal)
            || name.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || name.StartsWith("AWS_", StringComparison.Ordinal) || name == "URLS").ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["DATAXPIPE_DB"] = address;
        start.Environment["DATAXPIPE_PLATFORM_KEY"] = key;
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = Patience };
        _client.DefaultRequestHeaders.Add("X-API-KEY", key);
    }

    /// <summary>Where the service's program is: beside this one, in the image's folders, or in the tree's.</summary>
    /// <exception cref="BackupException">It is nowhere.</exception>
    public static string Find(string? named)
    {
        const string File = "Catalog.Api.dll";
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        // Catalog.Migrations/bin/Debug/net10.0
        var tree = Path.Combine(here, "..", "..", "..", "..", "Catalog.Api", "bin", Path.GetFileName(Path.GetDirectoryName(here)) ?? "", Path.GetFileName(here), File);
        string[] places = named is not null ? [named, Path.Combine(named, File)] : [Path.Combine(here, File), Path.Combine(here, "..", "api", File), tree];
        return Path.GetFullPath(places.FirstOrDefault(place => place.EndsWith(".dll", StringComparison.Ordinal) && System.IO.File.Exists(place))
            ?? throw new BackupException(ExitCode.Usage, "usage", named is null ? "Catalog.Api.dll was not found beside this program: name it with --api." : $"There is no Catalog.Api.dll at {named}."));
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <exception cref="BackupException">It ended, or was not ready in time.</exception>
    public static async Task<ApiProcess> Start(string program, string address, CancellationToken ct)
    {
        var api = new ApiProcess(program, address);
        try
        {
            await api.BecomeReady(ct);
            return api;
        }
        catch
        {
            api.Dispose();
            throw;
        }
    }

    /// <summary>Reads something.</summary>
    /// <exception cref="BackupException">The answer is not 200.</exception>
    public async Task Get(string path, CancellationToken ct)
    {
        using var answer = await _client.GetAsync(path, ct);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw new BackupException(ExitCode.Failed, "service_failed", $"The service over the restored database answered {(int)answer.StatusCode} to GET {path}.");
        }

        await answer.Content.CopyToAsync(Stream.Null, ct);
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

    private async Task BecomeReady(CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var answer = await _client.GetAsync("/ready", ct);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            if (_process.HasExited || clock.Elapsed > Patience)
            {
                string[] said;
                lock (_said)
                {
                    said = [.. _said.TakeLast(3)];
                }

                throw new BackupException(ExitCode.Failed, "service_failed",
                    $"The service did not become ready over the restored database ({(_process.HasExited ? $"it ended with {_process.ExitCode}" : $"{Patience.TotalSeconds:0} s")}): {string.Join(" ", said)}");
            }

            await Task.Delay(50, ct);
        }
    }

    private void Keep(string? line)
    {
        lock (_said)
        {
            if (!string.IsNullOrWhiteSpace(line) && _said.Count < 1000)
            {
                _said.Add(line);
            }
        }
    }

    private static string Dotnet() => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } named ? named
        : Environment.ProcessPath is { } own && Path.GetFileNameWithoutExtension(own) == "dotnet" ? own : "dotnet";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
