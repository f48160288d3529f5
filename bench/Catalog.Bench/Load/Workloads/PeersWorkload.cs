using System.Text.Json;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Compares single posts with the same function in two other frameworks: same table, same durability, ten connections,
/// validated bodies, and a key that is compared by its hash. The peers do less: they do not check the pipeline or the
/// run.
/// </summary>
internal static class PeersWorkload
{
    private const string Python = "/usr/bin/python3";

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        var table = new ResultTable(testBed, database);
        await using var catalog = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct,
            ("DATAXPIPE_PG_POOL_MAX", "10"));
        await using var fastify = await Fastify(testBed, database, ct);
        await using var fastApi = await FastApi(testBed, database, ct);
        (string Name, Service? Service, double Target)[] peers = [("fastify", fastify, 3), ("FastAPI", fastApi, 16)];

        Candidate Post(Service service, string name) =>
            table.CheckLosses(new HttpLoad(testBed, service, name, 64, Requests.Posts).Candidate);
        var comparison = await Comparison.Run(testBed.Options, ct,
            [Post(catalog, "Catalog"), .. peers.Where(peer => peer.Service is not null).Select(peer => Post(peer.Service!, peer.Name))]);
        Console.WriteLine();
        comparison.Print("requests", "Catalog");
        await testBed.DropDatabase(database, ct);
        return [.. peers.Where(peer => peer.Service is not null)
            .Select(peer => Goal.Minimum($"post, 64 clients / {peer.Name}", comparison.Ratio("Catalog", peer.Name), peer.Target))];
    }

    private static async Task<Service?> Fastify(TestBed testBed, string database, CancellationToken ct)
    {
        var folder = Path.Combine(TestBed.Root, "bench", "peers", "fastify");
        if (!ProcessRunner.Exists("node") || !Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            Console.WriteLine("fastify is skipped. It requires Node.js 20 or newer and `npm ci --prefix bench/peers/fastify`.");
            return null;
        }

        string Version(string package)
        {
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "node_modules", package, "package.json")));
            return json.RootElement.GetProperty("version").GetString()!;
        }

        Console.WriteLine(
            $"fastify {Version("fastify")}, pg {Version("pg")}, Node.js {(await ProcessRunner.Run(["node", "--version"], ct)).Trim()}, one "
                + "process.");
        return await Service.StartPeer(testBed, ["node", Path.Combine(folder, "server.js")], NewAddress(), database, ct);
    }

    private static async Task<Service?> FastApi(TestBed testBed, string database, CancellationToken ct)
    {
        const string Versions = """
            import fastapi, pydantic, sqlalchemy, asyncpg, uvicorn, uvloop, httptools, sys
            print(f"FastAPI {fastapi.__version__}, pydantic {pydantic.VERSION}, SQLAlchemy {sqlalchemy.__version__}, asyncpg {asyncpg.__version__}, "
                  f"uvicorn {uvicorn.__version__} with uvloop {uvloop.__version__} and httptools {httptools.__version__}, Python {sys.version.split()[0]}, one process.")
            """;
        try
        {
            Console.WriteLine((await ProcessRunner.Run([Python, "-c", Versions], ct)).Trim());
        }
        catch (BenchException)
        {
            Console.WriteLine(
                "FastAPI is skipped. Debian: apt-get install python3-fastapi python3-sqlalchemy python3-asyncpg uvicorn "
                    + "python3-uvloop python3-httptools");
            return null;
        }

        var address = NewAddress();
        return await Service.StartPeer(
            testBed,
            [
                Python, "-m", "uvicorn", "--app-dir", Path.Combine(TestBed.Root, "bench", "peers", "fastapi"), "app:app",
                "--host", "127.0.0.1", "--port", $"{address.Port}", "--no-access-log", "--log-level", "warning",
            ],
            address, database, ct);
    }

    private static Uri NewAddress() => new($"http://127.0.0.1:{Postgres.FreePort()}");
}
