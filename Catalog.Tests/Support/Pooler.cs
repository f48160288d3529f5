using System.Diagnostics;
using System.Net.Sockets;

namespace Catalog.Tests.Support;

/// <summary>A PgBouncer in front of a server. It ends with the test process.</summary>
public sealed class Pooler : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-pgbouncer-").FullName;
    private volatile Process? _process;
    private volatile bool _disposed;
    private readonly int _port = PostgresCluster.FreePort();

    /// <param name="mode">PgBouncer's <c>pool_mode</c>.</param>
    /// <param name="poolSize">The maximum number of connections to a database.</param>
    /// <param name="uri">The server's address with the user that all clients use. Null: the shared server.</param>
    public Pooler(string mode, int poolSize = 20, string? uri = null)
    {
        var server = new UriBuilder(uri ?? PostgresServer.Shared.Uri);
        var password = server.Password.Length > 0
            ? $" password='{Uri.UnescapeDataString(server.Password).Replace("'", "''", StringComparison.Ordinal)}'" : "";
        File.WriteAllText(Path.Combine(_directory, "pgbouncer.ini"), $"""
            [databases]
            * = host={server.Host} port={server.Port} user={server.UserName}{password}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {_port}
            unix_socket_dir =
            auth_type = any
            pool_mode = {mode}
            default_pool_size = {poolSize}
            max_client_conn = 500
            server_reset_query_always = 0
            server_login_retry = 1
            logfile = {Path.Combine(_directory, "pgbouncer.log")}
            """);
        PostgresCluster.HandOver(_directory);
        string[] command = [.. PostgresCluster.AsPostgres(), Program!, "-q", Path.Combine(_directory, "pgbouncer.ini")];
        // The kernel ends PgBouncer when the thread that started it ends. The thread restarts it after a crash, as a
        // service manager does: version 1.18 can crash on a cancel request (objects.c, "bad client state").
        new Thread(() =>
        {
            while (!_disposed)
            {
                _process = Process.Start(new ProcessStartInfo(command[0], command[1..]))!;
                _process.WaitForExit();
                Crashes++;
            }
        })
        { IsBackground = true }.Start();
        for (var tries = 0; !Answers(); tries++)
        {
            Assert.True(tries < 100 && Crashes == 0, "PgBouncer did not start.");
            Thread.Sleep(50);
        }
    }

    /// <summary>The number of times that PgBouncer ended and was started again.</summary>
    public int Crashes { get; private set; }

    /// <summary>The path of the program. Null: it is not installed.</summary>
    public static string? Program =>
        new[] { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer" }.FirstOrDefault(
            File.Exists);

    /// <summary>Without the program, tests are skipped on a developer's machine and fail in CI.</summary>
    public static void Require()
    {
        const string Missing = "PgBouncer is missing (Debian: apt-get install pgbouncer).";
        Assert.SkipWhen(Program is null && Environment.GetEnvironmentVariable("CI") is null or "" or "false", Missing);
        Assert.True(Program is not null, Missing);
    }

    /// <summary>The address of a database through PgBouncer.</summary>
    public string Through(string address) => new UriBuilder(address) { Host = "127.0.0.1", Port = _port }.Uri.ToString();

    /// <summary>The last lines of its log.</summary>
    public string Log => string.Join('\n', File.ReadLines(Path.Combine(_directory, "pgbouncer.log")).TakeLast(40));

    /// <summary>Kills it. It is started again at once.</summary>
    public void Restart() => _process!.Kill();

    public void Dispose()
    {
        _disposed = true;
        _process!.Kill();
        _process.WaitForExit(5000);
        Directory.Delete(_directory, recursive: true);
    }

    private bool Answers()
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
