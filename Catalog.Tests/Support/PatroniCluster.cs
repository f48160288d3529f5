using System.Diagnostics;

namespace Catalog.Tests.Support;

/// <summary>
/// Two Postgres servers with Patroni and etcd, in synchronous mode, and HAProxy in front of the leader. All from Debian.
/// </summary>
public sealed class PatroniCluster : IAsyncDisposable
{
    private const string Bin = "/usr/lib/postgresql/15/bin";

    // Patroni requires passwords, although the servers trust the loopback address.
    private const string Password = $"{SecretSearch.Word}-patroni";
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-patroni-").FullName;
    private readonly int _etcd = PostgresCluster.FreePort();
    private readonly int _proxy = PostgresCluster.FreePort();
    private readonly Node[] _nodes = [new("node0"), new("node1")];
    private readonly List<Process> _others = [];
    private readonly HttpClient _rest = new();

    private PatroniCluster()
    {
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The address of the leader, through HAProxy, as the superuser.</summary>
    public string Uri => $"postgresql://postgres@127.0.0.1:{_proxy}/postgres";

    /// <summary>Without the programs, tests are skipped.</summary>
    public static void Require() => Assert.SkipUnless(
        Environment.UserName == "root" && Directory.Exists(Bin)
            && new[] { "/usr/bin/patroni", "/usr/bin/etcd", "/usr/sbin/haproxy" }.All(File.Exists),
        "This needs root and the programs of Patroni (Debian: apt-get install patroni etcd-server haproxy postgresql-15).");

    /// <summary>Starts everything, and waits until the standby is synchronous.</summary>
    public static async Task<PatroniCluster> Start()
    {
        var cluster = new PatroniCluster();
        await cluster.Begin();
        return cluster;
    }

    /// <summary>Asks the leader to hand over to the other server.</summary>
    public async Task Switchover()
    {
        var leader = await Leader();
        // Patroni reads no chunks, so the length of the body must be known.
        using var body = new StringContent($$"""{"leader": "{{leader.Name}}"}""");
        using var answer = await _rest.PostAsync($"http://127.0.0.1:{leader.Rest}/switchover", body, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Kills the leader: its Patroni and its server.</summary>
    public async Task KillLeader()
    {
        var leader = await Leader();
        leader.Process!.Kill();
        KillServer(leader);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Where(node => node.Process is not null))
        {
            // The server process keeps Patroni's output open. A wait for the end of the output would last until the
            // server ends, so both are killed.
            node.Process!.Kill();
            KillServer(node);
        }

        foreach (var process in _others)
        {
            process.Kill();
        }

        _rest.Dispose();
        // The child processes of a killed server end a moment later. Only then can the directory be deleted.
        await Task.Delay(1000, CancellationToken.None);
        Directory.Delete(_directory, recursive: true);
    }

    private async Task Begin()
    {
        File.WriteAllText(Path.Combine(_directory, "haproxy.cfg"), $"""
            defaults
                mode tcp
                timeout connect 2s
                timeout client 60s
                timeout server 60s
            listen leader
                bind 127.0.0.1:{_proxy}
                option httpchk GET /primary
                http-check expect status 200
                default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
            {string.Join('\n', _nodes.Select(node => $"    server {node.Name} 127.0.0.1:{node.Port} check port {node.Rest}"))}

            """);
        foreach (var node in _nodes)
        {
            File.WriteAllText(Path.Combine(_directory, $"{node.Name}.yml"), Settings(node));
        }

        PostgresCluster.HandOver(_directory);
        var (client, peer) = ($"http://127.0.0.1:{_etcd}", $"http://127.0.0.1:{PostgresCluster.FreePort()}");
        _others.Add(Run("/usr/bin/etcd", "--data-dir", Path.Combine(_directory, "etcd"), "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", $"default={peer}"));
        _others.Add(Run("/usr/sbin/haproxy", "-f", Path.Combine(_directory, "haproxy.cfg")));
        foreach (var node in _nodes)
        {
            node.Process = Run("/usr/bin/patroni", Path.Combine(_directory, $"{node.Name}.yml"));
            await Until(() => IsOk(node, node == _nodes[0] ? "primary" : "sync"), node);
        }
    }

    private string Settings(Node node) => $$"""
        scope: catalog
        name: {{node.Name}}
        restapi: { listen: '127.0.0.1:{{node.Rest}}', connect_address: '127.0.0.1:{{node.Rest}}' }
        etcd3: { host: '127.0.0.1:{{_etcd}}' }
        bootstrap:
          dcs:
            { ttl: 20, loop_wait: 2, retry_timeout: 5, synchronous_mode: true, postgresql: { use_pg_rewind: true } }
          initdb: [ { encoding: UTF8 }, { locale: C } ]
        postgresql:
          listen: '127.0.0.1:{{node.Port}}'
          connect_address: '127.0.0.1:{{node.Port}}'
          data_dir: '{{DataOf(node)}}'
          bin_dir: '{{Bin}}'
          pgpass: '{{Path.Combine(_directory, node.Name + ".pgpass")}}'
          pg_hba: [ 'local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust' ]
          parameters: { unix_socket_directories: '{{_directory}}', max_connections: 100 }
          authentication:
            superuser: { username: postgres, password: {{Password}} }
            replication: { username: replicator, password: {{Password}} }

        """;

    private async Task<Node> Leader()
    {
        foreach (var node in _nodes)
        {
            if (await IsOk(node, "primary"))
            {
                return node;
            }
        }

        throw new InvalidOperationException("There is no leader.");
    }

    private async Task<bool> IsOk(Node node, string role)
    {
        try
        {
            using var answer = await _rest.GetAsync($"http://127.0.0.1:{node.Rest}/{role}", Ct);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task Until(Func<Task<bool>> condition, Node node)
    {
        for (var clock = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60) && !node.Process!.HasExited, $"{node.Name} did not start: {node.Errors}");
            await Task.Delay(200, Ct);
        }
    }

    // Patroni starts the server as a process of its own.
    private void KillServer(Node node)
    {
        var file = Path.Combine(DataOf(node), "postmaster.pid");
        if (File.Exists(file) && int.TryParse(File.ReadLines(file).First(), out var id) && Directory.Exists($"/proc/{id}"))
        {
            using var server = Process.GetProcessById(id);
            server.Kill();
        }
    }

    private string DataOf(Node node) => Path.Combine(_directory, node.Name);

    private Process Run(params string[] command)
    {
        var process = Process.Start(
            new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
                WorkingDirectory = _directory,
            })!;
        var errors = _nodes.FirstOrDefault(node => command[^1].EndsWith($"{node.Name}.yml", StringComparison.Ordinal))?.Errors ?? new();
        process.OutputDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private sealed class Lines : System.Collections.Concurrent.ConcurrentQueue<string>
    {
        public override string ToString() => string.Join('\n', this.TakeLast(30));
    }

    private sealed record Node(string Name)
    {
        public int Port { get; } = PostgresCluster.FreePort();

        public int Rest { get; } = PostgresCluster.FreePort();

        public Lines Errors { get; } = new();

        public Process? Process { get; set; }
    }
}
