using System.Text.Json;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Single posts beside the same in two frameworks that such services are often written in: same table, same durability, ten connections,
/// bodies validated, a key compared by its hash. The peers do less: they look up neither pipeline nor run.
/// </summary>
internal static class PeersWorkload
{
    private const string Python = "/usr/bin/python3";

    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        var table = new ResultTable(stand, database);
        await using var catalog = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct, ("DATAXPIPE_PG_POOL_MAX", "10"));
        await using var fastify = await Fastify(stand, database, ct);
        await using var fastApi = await FastApi(stand, database, ct);
        (string Name, Service? Service, double Wanted)[] peers = [("fastify", fastify, 2.5), ("FastAPI", fastApi, 12)];

        Contestant Post(Service service, string name) => table.Watch(new HttpLoad(stand, service, name, 64, Requests.Posts).Contestant);
        var contest = await Contest.Hold(stand.Options, ct,
            [Post(catalog, "Catalog"), .. peers.Where(peer => peer.Service is not null).Select(peer => Post(peer.Service!, peer.Name))]);
        Console.WriteLine();
        contest.Print("requests", "Catalog");
        await stand.DropDatabase(database, ct);
        return [.. peers.Where(peer => peer.Service is not null).Select(peer => Goal.Least($"post, 64 clients / {peer.Name}", contest.Ratio("Catalog", peer.Name), peer.Wanted))];
    }

    private static async Task<Service?> Fastify(Stand stand, string database, CancellationToken ct)
    {
        var folder = Path.Combine(Stand.Root, "bench", "peers", "fastify");
        if (!Tool.Exists("node") || !Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            Console.WriteLine("fastify is skipped: it needs Node.js 20 or newer, and `npm ci --prefix bench/peers/fastify`.");
            return null;
        }

        string Version(string package)
        {
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "node_modules", package, "package.json")));
            return json.RootElement.GetProperty("version").GetString()!;
        }

        Console.WriteLine($"fastify {Version("fastify")}, pg {Version("pg")}, Node.js {(await Tool.Run(["node", "--version"], ct)).Trim()}, one process.");
        return await Service.StartPeer(stand, ["node", Path.Combine(folder, "server.js")], NewAddress(), database, ct);
    }

    private static async Task<Service?> FastApi(Stand stand, string database, CancellationToken ct)
    {
        const string Versions = """
            import fastapi, pydantic, sqlalchemy, asyncpg, uvicorn, uvloop, httptools, sys
            print(f"FastAPI {fastapi.__version__}, pydantic {pydantic.VERSION}, SQLAlchemy {sqlalchemy.__version__}, asyncpg {asyncpg.__version__}, "
                  f"uvicorn {uvicorn.__version__} with uvloop {uvloop.__version__} and httptools {httptools.__version__}, Python {sys.version.split()[0]}, one process.")
            """;
        try
        {
            Console.WriteLine((await Tool.Run([Python, "-c", Versions], ct)).Trim());
        }
        catch (BenchException)
        {
            Console.WriteLine("FastAPI is skipped. Debian: apt-get install python3-fastapi python3-sqlalchemy python3-asyncpg uvicorn python3-uvloop python3-httptools");
            return null;
        }

        var address = NewAddress();
        return await Service.StartPeer(
            stand,
            [
                Python, "-m", "uvicorn", "--app-dir", Path.Combine(Stand.Root, "bench", "peers", "fastapi"), "app:app",
                "--host", "127.0.0.1", "--port", $"{address.Port}", "--no-access-log", "--log-level", "warning",
            ],
            address, database, ct);
    }

    private static Uri NewAddress() => new($"http://127.0.0.1:{Postgres.FreePort()}");
}
