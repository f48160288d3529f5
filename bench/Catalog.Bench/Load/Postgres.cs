using System.Data;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dapper;
using Npgsql;

namespace Catalog.Bench.Load;

/// <summary>A temporary server with the durability of production: it flushes each commit to disk.</summary>
internal sealed class Postgres : IAsyncDisposable
{
    private readonly ServerProcess _server;

    private Postgres(ServerProcess server, string bin, int port) => (_server, Bin, Port) = (server, bin, port);

    /// <summary>The folder of the Postgres programs.</summary>
    public string Bin { get; }

    public int Port { get; }

    public int ProcessId => _server.Id;

    /// <summary>
    /// Settings that differ from the defaults. checkpoint_timeout keeps timed checkpoints out of the measurements.
    /// </summary>
    public static string[] Settings { get; } =
    [
        "fsync=on", "synchronous_commit=on", $"shared_buffers={SharedBuffers()}MB", "max_wal_size=4GB", "checkpoint_timeout=1h",
        "max_connections=300",
    ];

    public static async Task<Postgres> Start(string folder, CancellationToken ct)
    {
        var bin = FindBin();
        Directory.CreateDirectory(folder);
        string[] asPostgres = Environment.UserName == "root"
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : [];
        if (asPostgres.Length > 0)
        {
            await ProcessRunner.Run(["chown", "postgres", folder], ct);
        }

        var data = Path.Combine(folder, "data");
        await ProcessRunner.Run(
            [.. asPostgres, Path.Combine(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"], ct);
        var port = FreePort();
        var server = ServerProcess.Start(
            [
                Path.Combine(bin, "postgres"), "-D", data, "-p", port.ToString(CultureInfo.InvariantCulture), "-c",
                "listen_addresses=127.0.0.1",
                "-c", $"unix_socket_directories={folder}", .. Settings.SelectMany(setting => new[] { "-c", setting }),
            ],
            new Dictionary<string, string>(), folder, stopSignal: "QUIT", user: "postgres");
        var postgres = new Postgres(server, bin, port);
        for (var deadline = Environment.TickCount64 + 30_000; ;)
        {
            try
            {
                await postgres.Execute("postgres", "select 1", ct);
                return postgres;
            }
            catch (NpgsqlException) when (Environment.TickCount64 < deadline && !server.Ended)
            {
                await Task.Delay(50, ct);
            }
            catch
            {
                await server.DisposeAsync();
                throw new BenchException($"Postgres did not start: {server.Output}");
            }
        }
    }

    public string Uri(string database, string login = "postgres") => $"postgresql://{login}@127.0.0.1:{Port}/{database}?sslmode=disable";

    /// <summary>The address with the login of the service, which owns no tables, as in production.</summary>
    public string ServiceUri(string database) => Uri(database, ServiceLogin);

    /// <summary>The login of the service: a member of the role that its statements run as.</summary>
    public const string ServiceLogin = "bench_service";

    public async Task Execute(string database, string sql, CancellationToken ct)
    {
        await using var connection = await Open(database, ct);
        // Without a command type, Dapper treats a single word as the name of a stored procedure.
        await connection.ExecuteAsync(new CommandDefinition(sql, commandType: CommandType.Text, cancellationToken: ct));
    }

    public async Task<T> Scalar<T>(string database, string sql, CancellationToken ct)
    {
        await using var connection = await Open(database, ct);
        return (await connection.ExecuteScalarAsync<T>(new CommandDefinition(sql, cancellationToken: ct)))!;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<NpgsqlConnection> Open(string database, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(
            $"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Pooling=false;Timeout=5;CommandTimeout=0;SSL Mode=Disable");
        await connection.OpenAsync(ct);
        return connection;
    }

    private static string FindBin()
    {
        IEnumerable<string?> folders = [Environment.GetEnvironmentVariable("PG_BIN")];
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            folders = folders.Concat(Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal)
                .Select(version => Path.Combine(version, "bin")));
        }

        return folders.FirstOrDefault(folder => folder is not null && File.Exists(Path.Combine(folder, "initdb"))
            && File.Exists(Path.Combine(folder, "pgbench")))
            ?? throw new BenchException(
                "The programs of Postgres were not found. Debian: apt-get install postgresql-15. Elsewhere set PG_BIN to their folder.");
    }

    // In MiB: a quarter of the memory, as the manual recommends, but at most 2 GiB, which is enough for these tables.
    private static long SharedBuffers() => Math.Min(2048, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024 / 4);
}
