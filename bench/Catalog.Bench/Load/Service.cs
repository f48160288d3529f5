using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace Catalog.Bench.Load;

/// <summary>A server under load: the Catalog, or a peer.</summary>
internal sealed class Service : IAsyncDisposable
{
    private static int _organizations;
    private static bool _fallbackSaid;
    private readonly Child _process;
    private readonly HttpClient _http;

    private Service(Child process, Uri address, string key)
    {
        (_process, Address, Key) = (process, address, key);
        // A load of one's own machine needs no proxy and no limit on its connections.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Add("X-API-KEY", key);
    }

    public Uri Address { get; }

    /// <summary>What requests carry.</summary>
    public string Key { get; private set; }

    /// <summary>Whose rows that key reads and writes.</summary>
    public string Organization { get; private set; } = "default";

    public bool UsesPostgres { get; private init; } = true;

    public int ProcessId => _process.Id;

    public string Said => _process.Said;

    /// <summary>Starts the published Catalog and registers the pipelines that results name.</summary>
    /// <param name="stand">What it stands on.</param>
    /// <param name="database">The address of its database.</param>
    /// <param name="ownOrganization">Whether to ask it for an organization with a key of its own, as clients have; otherwise the platform's key is used.</param>
    /// <param name="ct">Cancels.</param>
    /// <param name="settings">Environment variables on top of those of the command line.</param>
    public static async Task<Service> Start(Stand stand, string database, bool ownOrganization, CancellationToken ct, params (string Name, string Value)[] settings)
    {
        var service = Launch(stand, database, settings);
        try
        {
            await service.WaitFor("/ready", ct);
            if (ownOrganization)
            {
                await service.TakeOrganization(ct);
            }

            for (var pipeline = 0; pipeline < ResultBody.Pipelines; pipeline++)
            {
                using var answer = await service._http.PostAsJsonAsync("/api/v1/pipelines/", new { name = ResultBody.Pipeline(pipeline) }, ct);
                answer.EnsureSuccessStatusCode();
            }

            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the published Catalog and waits for nothing.</summary>
    public static Service Launch(Stand stand, string database, params (string Name, string Value)[] settings)
    {
        var (address, key) = (new Uri($"http://127.0.0.1:{Postgres.FreePort()}"), NewKey());
        var environment = new Dictionary<string, string>(stand.Options.Set)
        {
            ["DATAXPIPE_DB"] = database,
            ["DATAXPIPE_PLATFORM_KEY"] = key,
            ["ASPNETCORE_URLS"] = address.ToString(),
            // As in the image: without its socket in the temporary folder.
            ["DOTNET_EnableDiagnostics"] = "0",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        var process = Child.Start([stand.Api], environment, stand.NewFolder("service"));
        return new(process, address, key) { UsesPostgres = database.StartsWith("postgresql:", StringComparison.Ordinal) };
    }

    /// <summary>Starts a peer and waits until it answers.</summary>
    public static async Task<Service> StartPeer(Stand stand, IReadOnlyList<string> command, Uri address, string database, CancellationToken ct)
    {
        var key = NewKey();
        var environment = new Dictionary<string, string>
        {
            ["PORT"] = $"{address.Port}",
            ["API_KEY"] = key,
            ["NODE_ENV"] = "production",
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["PG_PORT"] = $"{stand.Postgres.Port}",
            ["PG_DATABASE"] = database,
        };
        var service = new Service(Child.Start(command, environment, stand.NewFolder("peer")), address, key);
        try
        {
            await service.WaitFor("/ready", ct);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits, at most 30 seconds, for a 200.</summary>
    public async Task WaitFor(string path, CancellationToken ct)
    {
        var last = "nobody listened";
        for (var until = Environment.TickCount64 + 30_000; Environment.TickCount64 < until && !_process.Ended;)
        {
            try
            {
                using var answer = await _http.GetAsync(path, ct);
                if ((int)answer.StatusCode == 200)
                {
                    return;
                }

                last = $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}";
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(5, ct);
        }

        throw new BenchException($"The service did not become ready ({last}).\n{_process.Said}");
    }

    public async Task<byte[]> Get(string path, CancellationToken ct) => await _http.GetByteArrayAsync(path, ct);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private async Task TakeOrganization(CancellationToken ct)
    {
        var id = $"bench_{++_organizations}";
        using var answer = await _http.PostAsJsonAsync("/api/v1/organizations/", new { id, name = "Bench", plan = "self_hosted" }, ct);
        if ((int)answer.StatusCode != 201)
        {
            if (!_fallbackSaid)
            {
                Console.WriteLine($"No organization of its own (POST /api/v1/organizations/ answered {(int)answer.StatusCode}): here and below the platform's key is used, in organization default.\n");
                _fallbackSaid = true;
            }

            return;
        }

        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
        (Organization, Key) = (id, body.GetProperty("api_key").GetProperty("key").GetString()!);
        _http.DefaultRequestHeaders.Remove("X-API-KEY");
        _http.DefaultRequestHeaders.Add("X-API-KEY", Key);
    }
}
