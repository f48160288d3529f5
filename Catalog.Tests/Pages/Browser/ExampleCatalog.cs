using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// A service on SQLite with the data of <see cref="ExampleData"/>, for one test class. The data is written once for all
/// classes, through the API.
/// </summary>
public sealed class ExampleCatalog : IAsyncLifetime
{
    private static readonly Lazy<Task<(string Path, ExampleData Data)>> Template = new(CreateTemplate);
    private readonly SqliteTestDatabase _database = new();
    private CatalogApp? _app;

    /// <summary>The cookies of a signed-in browser; null until a test has signed in.</summary>
    public string? Session { get; set; }

    public CatalogApp App => _app!;

    public ExampleData Data { get; private set; } = null!;

    /// <summary>The address of the service.</summary>
    public Uri Root { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        (var path, Data) = await Template.Value;
        Copy(path, _database.Address);
        _app = new CatalogApp(_database, ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey));
        using var client = _app.Anonymous();
        Root = client.BaseAddress!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await _database.DisposeAsync();
    }

    private static async Task<(string Path, ExampleData Data)> CreateTemplate()
    {
        var directory = Directory.CreateTempSubdirectory("catalog-example-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        await using var database = new SqliteTestDatabase();
        await database.InitializeAsync();
        var data = new ExampleData(DateTimeOffset.UtcNow);
        // Only a pipeline that was registered before its last tick can be late, so the pipelines are registered in the
        // past.
        await using (var past = new CatalogApp(database) { Time = new PastClock() })
        {
            using var client = past.Client();
            await ExampleData.PostPipelines(client);
        }

        await using (var app = new CatalogApp(database, ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey)))
        {
            using var client = app.Client();
            await data.Post(client);
        }

        var path = Path.Combine(directory, "catalog.db");
        Copy(database.Address, path);
        return (path, data);
    }

    // Some rows may still be in the write-ahead log only, so the log is copied with the file.
    private static void Copy(string from, string to)
    {
        foreach (var suffix in new[] { "", "-wal" }.Where(suffix => File.Exists(from + suffix)))
        {
            File.Copy(from + suffix, to + suffix);
        }
    }

    private sealed class PastClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(-40);
    }
}
