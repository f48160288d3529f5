using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>A temporary cluster from the Postgres programs of this machine. It ends with the test process.</summary>
public sealed class PostgresCluster : IDisposable
{
    private readonly string? _directory;
    private readonly string? _bin;
    private Process? _process;

    private PostgresCluster(string reason) => (Unavailable, Uri) = (reason, "");

    private PostgresCluster(string bin, string directory, int port, bool fsync, string[] settings)
    {
        (_bin, _directory, Port, Fsync, Settings) = (bin, directory, port, fsync, settings);
        Uri = $"postgresql://postgres@127.0.0.1:{port}/postgres";
    }

    /// <summary>The reason why there is no cluster. Null: there is one.</summary>
    public string? Unavailable { get; }

    /// <summary>The address of database postgres as the superuser.</summary>
    public string Uri { get; }

    private int Port { get; }

    private bool Fsync { get; }

    private string[] Settings { get; } = [];

    /// <summary>
    /// Starts a new cluster, for tests that stop it or need special settings, such as <c>max_connections=20</c>.
    /// </summary>
    public static PostgresCluster Start(bool fsync, params string[] settings)
    {
        if (FindBin() is not { } bin)
        {
            return new PostgresCluster(
                "The Postgres server programs are missing (Debian: apt-get install postgresql-15; elsewhere PG_BIN names their folder).");
        }

        Sweep();
        var directory = Path.Combine(Path.GetTempPath(), $"catalog-postgres-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        HandOver(directory);

        var server = new PostgresCluster(bin, directory, FreePort(), fsync, settings);
        Execute([.. AsPostgres(), Path.Combine(bin, "initdb"), "-D", Path.Combine(directory, "data"), "-U", "postgres", "-A", "trust", "-E",
            "UTF8", "--no-locale", "-N"]);
        server.Begin();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.EndAtExit();
        return server;
    }

    /// <summary>Without the server programs, tests are skipped on a developer's machine and fail in CI.</summary>
    public PostgresCluster Require()
    {
        if (Unavailable is { } reason)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "" or "false", reason);
            Assert.Fail(reason);
        }

        return this;
    }

    /// <summary>Starts the cluster again after <see cref="Stop"/>.</summary>
    public void Begin()
    {
        string[] command =
        [
            .. AsPostgres(), Path.Combine(_bin!, "postgres"), "-D", Path.Combine(_directory!, "data"), "-p", $"{Port}",
            "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={_directory}", "-c", $"fsync={(Fsync ? "on" : "off")}",
            "-c", "max_connections=300", .. Settings.SelectMany(setting => new[] { "-c", setting }),
        ];
        using var started = new ManualResetEventSlim();
        // The kernel ends the server when the thread that started it ends. So the thread waits until the server ends.
        var serverThread = new Thread(() =>
        {
            _process = Process.Start(
                new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            _process.ErrorDataReceived += (_, _) => { };
            _process.BeginErrorReadLine();
            started.Set();
            _process.WaitForExit();
        })
        { IsBackground = true };
        serverThread.Start();
        started.Wait();
        WaitUntilItAnswers();
    }

    /// <summary>
    /// Pauses all server processes, as a paused machine does: connections are accepted but not answered.
    /// </summary>
    public void Freeze() => Signal("-STOP");

    /// <summary>Continues after <see cref="Freeze"/>.</summary>
    public void Thaw() => Signal("-CONT");

    /// <summary>Ends the server at once without a checkpoint, as after a crash.</summary>
    public void Stop()
    {
        Execute([.. AsPostgres(), Path.Combine(_bin!, "pg_ctl"), "-D", Path.Combine(_directory!, "data"), "-m", "immediate", "-w", "stop"]);
        _process!.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        if (_directory is not null && Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private void Kill()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(5000);
        }
    }

    // About a hundred databases of three hundred files each exist at the end. Another process deletes them, so that
    // this one ends soon.
    private void EndAtExit()
    {
        Kill();
        if (_directory is not null && Directory.Exists(_directory))
        {
            Process.Start("rm", ["-rf", _directory]).Dispose();
        }
    }

    /// <summary>Starts the stopped cluster as a standby without a primary.</summary>
    public void BeginAsStandby()
    {
        File.WriteAllText(Path.Combine(_directory!, "data", "standby.signal"), "");
        Begin();
    }

    // Gives a directory to the user of the server programs when the tests run as root.
    internal static void HandOver(string directory)
    {
        Execute("chmod", "755", directory);
        if (Environment.UserName == "root")
        {
            Execute("chown", "-R", "postgres", directory);
        }
    }

    private static string? FindBin()
    {
        IEnumerable<string?> places = [Environment.GetEnvironmentVariable("PG_BIN"), ConfiguredBin()];
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            places = places.Concat(Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(VersionOf)
                .Select(version => Path.Combine(version, "bin")));
        }

        places = places.Concat(["/opt/homebrew/opt/postgresql@15/bin", "/usr/local/opt/postgresql@15/bin", "/usr/local/pgsql/bin"]);
        return places.FirstOrDefault(place => place is not null && File.Exists(Path.Combine(place, "initdb"))
            && File.Exists(Path.Combine(place, "postgres")));
    }

    private static decimal VersionOf(string directory) =>
        decimal.TryParse(Path.GetFileName(directory), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var version)
            ? version : 0;

    private static string? ConfiguredBin()
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo("pg_config", ["--bindir"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var directory = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return directory;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    // Signal the parent process first, so that it starts no new children.
    private void Signal(string signal)
    {
        Execute("kill", signal, $"{_process!.Id}");
        foreach (var child in Directory.GetDirectories("/proc").Where(directory => int.TryParse(Path.GetFileName(directory), out _)))
        {
            try
            {
                // The file has PID (NAME) STATE PPID. The name may contain blanks, so the fields are read after the
                // last parenthesis.
                var stat = File.ReadAllText(Path.Combine(child, "stat"));
                if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == $"{_process.Id}")
                {
                    Execute("kill", signal, Path.GetFileName(child));
                }
            }
            catch (Exception gone) when (gone is IOException or InvalidOperationException)
            {
                // The process has ended.
            }
        }
    }

    // The server programs refuse to run as root.
    internal static string[] AsPostgres() => Environment.UserName == "root"
        ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=KILL", "--"]
        : OperatingSystem.IsLinux() ? ["setpriv", "--pdeathsig=KILL", "--"] : [];

    private void WaitUntilItAnswers()
    {
        var until = Environment.TickCount64 + 30_000;
        while (true)
        {
            try
            {
                using var connection = new NpgsqlConnection(
                    $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres;Pooling=false;Timeout=2");
                connection.Open();
                return;
            }
            catch (NpgsqlException) when (Environment.TickCount64 < until)
            {
                Thread.Sleep(50);
            }
        }
    }

    // Deletes the directories of crashed test runs.
    private static void Sweep()
    {
        foreach (var directory in Directory.GetDirectories(Path.GetTempPath(), "catalog-postgres-*"))
        {
            if (int.TryParse(Path.GetFileName(directory).Split('-')[2], out var pid) && !Directory.Exists($"/proc/{pid}")
                && OperatingSystem.IsLinux())
            {
                try
                {
                    Directory.Delete(directory, recursive: true);
                }
                catch (IOException)
                {
                    // Another test run deletes it at the same time.
                }
            }
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void Execute(params string[] command)
    {
        using var process = Process.Start(
            new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{command[0]} ended with {process.ExitCode}: {output.GetAwaiter().GetResult()} {errors.GetAwaiter().GetResult()}");
        }
    }
}
