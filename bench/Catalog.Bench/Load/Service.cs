using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace Catalog.Bench.Load;

/// <summary>A server under load: the Catalog, or a peer (the same function in another framework).</summary>
internal sealed class Service : IAsyncDisposable
{
    private static int _organizations;
    private static bool _fallbackReported;
    private readonly ServerProcess _process;
    private readonly HttpClient _http;

    private Service(ServerProcess process, Uri address, string key)
    {
        (_process, Address, Key) = (process, address, key);
        // The service is on this machine: no proxy.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Add("X-API-KEY", key);
    }

    public Uri Address { get; }

    /// <summary>The API key for requests.</summary>
    public string Key { get; private set; }

    /// <summary>The organization of that key.</summary>
    public string Organization { get; private set; } = "default";

    public bool UsesPostgres { get; private init; } = true;

    public int ProcessId => _process.Id;

    public string Output => _process.Output;

    /// <summary>
    /// Starts the published Catalog, waits until it is ready, and registers the pipelines of <see cref="ResultBody"/>.
    /// </summary>
    /// <param name="testBed">The test bed with the published program.</param>
    /// <param name="database">The address of its database.</param>
    /// <param name="ownOrganization">Whether to create an organization and use its key, as clients do; otherwise the
    /// platform key is used.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <param name="settings">Environment variables, in addition to those of the command line.</param>
    public static async Task<Service> Start(TestBed testBed, string database, bool ownOrganization, CancellationToken ct,
        params (string Name, string Value)[] settings)
    {
        var service = Launch(testBed, database, settings);
        try
        {
            await service.WaitFor("/ready", ct);
            if (ownOrganization)
            {
                await service.CreateOrganization(ct);
            }

            for (var pipeline = 0; pipeline < ResultBody.Pipelines; pipeline++)
            {
                using var answer = await service._http.PostAsJsonAsync("/api/v1/pipelines/", new { name = ResultBody.Pipeline(pipeline) },
                    ct);
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

    /// <summary>Starts another process on the same database, whose requests use the key of <paramref name="first"/>.</summary>
    public static async Task<Service> Join(TestBed testBed, string database, Service first, CancellationToken ct,
        params (string Name, string Value)[] settings)
    {
        var service = Launch(testBed, database, settings);
        try
        {
            await service.WaitFor("/ready", ct);
            (service.Organization, service.Key) = (first.Organization, first.Key);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the published Catalog without waiting until it is ready.</summary>
    public static Service Launch(TestBed testBed, string database, params (string Name, string Value)[] settings)
    {
        var (address, key) = (new Uri($"http://127.0.0.1:{Postgres.FreePort()}"), NewKey());
        var environment = new Dictionary<string, string>(testBed.Options.Set)
        {
            ["DATAXPIPE_DB"] = database,
            ["DATAXPIPE_PLATFORM_KEY"] = key,
            ["ASPNETCORE_URLS"] = address.ToString(),
            // As in the image: no diagnostic socket in the temporary folder.
            ["DOTNET_EnableDiagnostics"] = "0",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        var process = ServerProcess.Start([testBed.Api], environment, testBed.NewFolder("service"));
        return new(process, address, key) { UsesPostgres = database.StartsWith("postgresql:", StringComparison.Ordinal) };
    }

    /// <summary>Starts a peer and waits until it is ready.</summary>
    public static async Task<Service> StartPeer(TestBed testBed, IReadOnlyList<string> command, Uri address, string database,
        CancellationToken ct)
    {
        var key = NewKey();
        var environment = new Dictionary<string, string>
        {
            ["PORT"] = $"{address.Port}",
            ["API_KEY"] = key,
            ["NODE_ENV"] = "production",
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["PG_PORT"] = $"{testBed.Postgres.Port}",
            ["PG_DATABASE"] = database,
        };
        var service = new Service(ServerProcess.Start(command, environment, testBed.NewFolder("peer")), address, key);
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

    /// <summary>Waits for an answer with status 200, for at most 30 seconds.</summary>
    /// <exception cref="BenchException">The process ended or the time is over.</exception>
    public async Task WaitFor(string path, CancellationToken ct)
    {
        var last = "no answer";
        for (var deadline = Environment.TickCount64 + 30_000; Environment.TickCount64 < deadline && !_process.Ended;)
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
                // The service does not listen yet.
            }

            await Task.Delay(5, ct);
        }

        throw new BenchException($"The service did not become ready ({last}).\n{_process.Output}");
    }

    public async Task<byte[]> Get(string path, CancellationToken ct) => await _http.GetByteArrayAsync(path, ct);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private async Task CreateOrganization(CancellationToken ct)
    {
        var id = $"bench_{++_organizations}";
        using var answer = await _http.PostAsJsonAsync("/api/v1/organizations/", new { id, name = "Bench", plan = "self_hosted" }, ct);
        if ((int)answer.StatusCode != 201)
        {
            if (!_fallbackReported)
            {
                Console.WriteLine(
                    $"POST /api/v1/organizations/ answered {(int)answer.StatusCode}: from here on the platform key and the "
                        + "organization default are used.\n");
                _fallbackReported = true;
            }

            return;
        }

        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
        (Organization, Key) = (id, body.GetProperty("api_key").GetProperty("key").GetString()!);
        _http.DefaultRequestHeaders.Remove("X-API-KEY");
        _http.DefaultRequestHeaders.Add("X-API-KEY", Key);
    }
}
