using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MySqlConnector;

namespace Catalog.Tests.Support;

/// <summary>
/// A temporary MariaDB server from the programs of this machine, started on first use. It ends with the test process.
/// </summary>
public sealed class MariaDbServer
{
    private static readonly Lazy<MariaDbServer> Lazy = new(Start);

    private MariaDbServer(int port, string? unavailable) => (Port, Unavailable) = (port, unavailable);

    public static MariaDbServer Shared => Lazy.Value;

    /// <summary>The reason why there is no server. Null: there is one.</summary>
    public string? Unavailable { get; }

    public int Port { get; }

    /// <summary>The connection of root, for the set-up of a test.</summary>
    public string Root => $"Server=127.0.0.1;Port={Port};User ID=root;Pooling=false;SslMode=Disabled;Allow User Variables=true";

    /// <summary>Without the server programs, tests are skipped on a developer's machine and fail in CI.</summary>
    public MariaDbServer Require()
    {
        if (Unavailable is { } reason)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "" or "false", reason);
            Assert.Fail(reason);
        }

        return this;
    }

    /// <summary>Runs statements as root.</summary>
    public async Task Execute(params string[] statements)
    {
        await using var connection = new MySqlConnection(Root);
        await connection.OpenAsync();
        foreach (var sql in statements)
        {
            await using var command = new MySqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static MariaDbServer Start()
    {
        string[] places = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
        string? Find(string name) => places.Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists);
        if (Find("mariadbd") is not { } server || Find("mariadb-install-db") is not { } install)
        {
            return new(0, "The MariaDB server programs are missing (Debian: apt-get install mariadb-server).");
        }

        var directory = Directory.CreateTempSubdirectory("catalog-mariadb-").FullName;
        var data = Path.Combine(directory, "data");
        Run(install, "--no-defaults", $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db",
            $"--user={Environment.UserName}").WaitForExit();
        var port = FreePort();
        string[] command =
        [
            server, "--no-defaults", $"--datadir={data}", $"--port={port}", "--bind-address=127.0.0.1", $"--socket={directory}/s",
            $"--user={Environment.UserName}", "--skip-name-resolve", "--innodb-flush-method=nosync", $"--pid-file={directory}/pid",
            "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
            // Tests break off connections. After 100 in a row the server would reject all connections of this host.
            "--max-connect-errors=1000000",
        ];
        Process? process = null;
        using var started = new ManualResetEventSlim();
        // The kernel ends the server when the thread that started it ends. So the thread waits until the server ends.
        new Thread(() =>
        {
            process = OperatingSystem.IsLinux() ? Run("setpriv", ["--pdeathsig=KILL", "--", .. command]) : Run(server, command[1..]);
            started.Set();
            process.WaitForExit();
        })
        { IsBackground = true }.Start();
        started.Wait();
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            process!.Kill(entireProcessTree: true);
            Process.Start("rm", ["-rf", directory]).Dispose();
        };
        var found = new MariaDbServer(port, null);
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var connection = new MySqlConnection(found.Root);
                connection.Open();
                return found;
            }
            catch (MySqlException) when (tries < 300 && !process!.HasExited)
            {
                Thread.Sleep(50);
            }
        }
    }

    private static Process Run(string program, params string[] arguments)
    {
        var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
