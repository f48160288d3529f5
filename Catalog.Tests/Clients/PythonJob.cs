using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Catalog.Tests.Support;

namespace Catalog.Tests.Clients;

/// <summary>Runs Python scripts that import <c>docs/clients/catalog.py</c>, with a spool in a temporary folder.</summary>
public sealed class PythonJob : IDisposable
{
    /// <summary>The folder of the client.</summary>
    public static readonly string Folder = Path.Combine(ConventionTests.Root, "docs", "clients");

    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-job-").FullName;

    public PythonJob() => Spool = Path.Combine(_directory, "spool.jsonl");

    /// <summary>The value of CATALOG_URL.</summary>
    public string Url { get; set; } = "http://127.0.0.1:9";

    /// <summary>The value of CATALOG_API_KEY.</summary>
    public string Key { get; set; } = CatalogApp.Key;

    /// <summary>The value of CATALOG_SPOOL.</summary>
    public string Spool { get; set; }

    /// <summary>Whether the client waits longer than it does by default, so that a busy machine changes nothing.</summary>
    public bool IsPatient { get; set; }

    /// <summary>The lines of the spool.</summary>
    public string[] Spooled => Lines(Spool);

    /// <summary>The lines of the file of rejected events.</summary>
    public string[] Rejected => Lines(Spool + ".rejected");

    /// <summary>A port on which nothing listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">The script, after <c>import catalog</c>.</param>
    public async Task<PythonResult> Run(string script)
    {
        var patience = IsPatient ? "catalog.TIMEOUT, catalog.CALL_LIMIT, catalog.BUDGET = 30, 60, 120\n" : "";
        var start = new ProcessStartInfo(
            "python3", ["-c", $"import catalog, logging, sys, time\nlogging.basicConfig()\n{patience}{script}"])
        {
            WorkingDirectory = _directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONPATH"] = Folder;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        start.Environment["CATALOG_URL"] = Url;
        start.Environment["CATALOG_API_KEY"] = Key;
        start.Environment["CATALOG_SPOOL"] = Spool;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        var result = new PythonResult(process.ExitCode, await output, await errors);
        foreach (var text in (string[])[result.ToString(), .. Spooled, .. Rejected])
        {
            SecretSearch.Suite.Require("The output or a file of the Python client", text);
        }

        return result;
    }

    /// <summary>Runs a script and asserts that the job ended as if there were no Catalog.</summary>
    public async Task<PythonResult> Succeed(string script)
    {
        var result = await Run(script);
        Assert.True(result.Exit == 0, result.ToString());
        return result;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string[] Lines(string path) => File.Exists(path) ? File.ReadAllLines(path) : [];
}

/// <summary>How a script ended.</summary>
public sealed record PythonResult(int Exit, string Output, string Errors);
