namespace Catalog.Bench.Load;

/// <summary>PgBouncer in transaction mode in front of the temporary server.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private readonly ServerProcess _process;
    private readonly int _port;

    private PgBouncer(ServerProcess process, int port) => (_process, _port) = (process, port);

    /// <param name="testBed">The test bed with the server.</param>
    /// <param name="poolSize">The maximum number of connections to the server for a database and a login.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<PgBouncer> Start(TestBed testBed, int poolSize, CancellationToken ct)
    {
        const string Program = "/usr/sbin/pgbouncer";
        if (!File.Exists(Program))
        {
            throw new BenchException("PgBouncer was not found. Debian: apt-get install pgbouncer");
        }

        var (folder, port) = (testBed.NewFolder("pgbouncer"), Postgres.FreePort());
        var file = Path.Combine(folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(file, $"""
            [databases]
            * = host=127.0.0.1 port={testBed.Postgres.Port} user={Postgres.ServiceLogin}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = {poolSize}
            max_client_conn = 1000
            """, ct);
        if (Environment.UserName == "root")
        {
            await ProcessRunner.Run(["chown", "-R", "postgres", folder], ct);
        }

        var process = ServerProcess.Start([Program, "-q", file], new Dictionary<string, string>(), folder, user: "postgres");
        return new(process, port);
    }

    /// <summary>The service's address of a database through PgBouncer.</summary>
    public string Uri(string database) => $"postgresql://{Postgres.ServiceLogin}@127.0.0.1:{_port}/{database}?sslmode=disable";

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
