using System.Data;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dapper;
using Npgsql;

namespace Catalog.Bench.Load;

/// <summary>A throw-away server that keeps what it acknowledges, as one in production does.</summary>
internal sealed class Postgres : IAsyncDisposable
{
    private readonly Child _server;

    private Postgres(Child server, string bin, int port) => (_server, Bin, Port) = (server, bin, port);

    /// <summary>Where its programs lie.</summary>
    public string Bin { get; }

    public int Port { get; }

    public int ProcessId => _server.Id;

    /// <summary>What differs from the server's defaults. No checkpoint falls into a sample by the clock.</summary>
    public static string[] Settings { get; } =
    [
        "fsync=on", "synchronous_commit=on", $"shared_buffers={SharedBuffers()}MB", "max_wal_size=4GB", "checkpoint_timeout=1h", "max_connections=300",
    ];

    public static async Task<Postgres> Start(string folder, CancellationToken ct)
    {
        var bin = FindBin();
        Directory.CreateDirectory(folder);
        string[] asPostgres = Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : [];
        if (asPostgres.Length > 0)
        {
            await Tool.Run(["chown", "postgres", folder], ct);
        }

        var data = Path.Combine(folder, "data");
        await Tool.Run([.. asPostgres, Path.Combine(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"], ct);
        var port = FreePort();
        var server = Child.Start(
            [
                Path.Combine(bin, "postgres"), "-D", data, "-p", port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1",
                "-c", $"unix_socket_directories={folder}", .. Settings.SelectMany(setting => new[] { "-c", setting }),
            ],
            new Dictionary<string, string>(), folder, farewell: "QUIT", user: "postgres");
        var postgres = new Postgres(server, bin, port);
        for (var until = Environment.TickCount64 + 30_000; ;)
        {
            try
            {
                await postgres.Execute("postgres", "select 1", ct);
                return postgres;
            }
            catch (NpgsqlException) when (Environment.TickCount64 < until && !server.Ended)
            {
                await Task.Delay(50, ct);
            }
            catch
            {
                await server.DisposeAsync();
                throw new BenchException($"Postgres did not start: {server.Said}");
            }
        }
    }

    public string Uri(string database, string login = "postgres") => $"postgresql://{login}@127.0.0.1:{Port}/{database}?sslmode=disable";

    /// <summary>As a service has it in production: a login that owns nothing.</summary>
    public string ServiceUri(string database) => Uri(database, ServiceLogin);

    /// <summary>Member of the role that the service's statements run as.</summary>
    public const string ServiceLogin = "bench_service";

    public async Task Execute(string database, string sql, CancellationToken ct)
    {
        await using var connection = await Open(database, ct);
        // Dapper takes a single word for the name of a procedure unless it is told otherwise.
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
        var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Pooling=false;Timeout=5;CommandTimeout=0;SSL Mode=Disable");
        await connection.OpenAsync(ct);
        return connection;
    }

    private static string FindBin()
    {
        IEnumerable<string?> places = [Environment.GetEnvironmentVariable("PG_BIN")];
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            places = places.Concat(Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin")));
        }

        return places.FirstOrDefault(place => place is not null && File.Exists(Path.Combine(place, "initdb")) && File.Exists(Path.Combine(place, "pgbench")))
            ?? throw new BenchException("Postgres is missing. Debian: apt-get install postgresql-15 (or set PG_BIN).");
    }

    // A quarter of the memory, as the manual advises, and no more than the tables here need.
    private static long SharedBuffers() => Math.Min(2048, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024 / 4);
}
