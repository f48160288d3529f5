namespace Catalog.Bench.Load;

/// <summary>
/// The environment of a run: a Postgres server and the published programs, in a temporary folder that is deleted at the
/// end.
/// </summary>
internal sealed class TestBed : IAsyncDisposable
{
    private const string Prefix = "catalog-load-";
    private readonly string _folder;
    private int _files;
    private int _databases;

    private TestBed(LoadOptions options, string folder, Postgres postgres) => (Options, _folder, Postgres) = (options, folder, postgres);

    public LoadOptions Options { get; }

    public Postgres Postgres { get; }

    /// <summary>The root folder of the repository.</summary>
    public static string Root { get; } = FindRoot();

    public string Api => Path.Combine(_folder, "api", "Catalog.Api");

    public static async Task<TestBed> Create(LoadOptions options, CancellationToken ct)
    {
        if (!ProcessRunner.Exists("wrk"))
        {
            throw new BenchException("wrk was not found. Debian: apt-get install wrk");
        }

        DeleteLeftovers(options.Work);
        var folder = Path.Combine(options.Work, $"{Prefix}{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        try
        {
            // Postgres may run as another user, which must be able to enter the folder.
            await ProcessRunner.Run(["chmod", "755", folder], ct);
            foreach (var (project, target) in new[] { ("Catalog.Api", "api"), ("Catalog.Migrations", "migrations") })
            {
                await ProcessRunner.Run(
                    ["dotnet", "publish", project, "-c", "Release", "-o", Path.Combine(folder, target), "--nologo", "-v", "quiet"], ct,
                    directory: Root);
            }

            return new(options, folder, await Postgres.Start(Path.Combine(folder, "postgres"), ct));
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Creates a database with the schema, and allows the service login to assume the service role.</summary>
    public async Task<string> NewDatabase(CancellationToken ct)
    {
        var name = $"bench_{++_databases}";
        await Postgres.Execute("postgres", $"create database {name}", ct);
        await Migrations(Postgres.Uri(name), ct, "upgrade");
        if (_databases == 1)
        {
            await Postgres.Execute("postgres", $"create role {Load.Postgres.ServiceLogin} login", ct);
        }

        await Migrations(Postgres.Uri(name), ct, "grant", "--member", Load.Postgres.ServiceLogin);
        return name;
    }

    public Task DropDatabase(string name, CancellationToken ct) => Postgres.Execute("postgres", $"drop database {name} with (force)", ct);

    public Task Migrations(string database, CancellationToken ct, params string[] command) => Migrations(database, new(), command, ct);

    /// <summary>Runs a command of Catalog.Migrations.</summary>
    /// <param name="database">The address of the database.</param>
    /// <param name="settings">Environment variables.</param>
    /// <param name="command">The verb and its options.</param>
    /// <param name="ct">Ends the program.</param>
    public Task Migrations(string database, Dictionary<string, string> settings, string[] command, CancellationToken ct) =>
        ProcessRunner.Run(
        [Path.Combine(_folder, "migrations", "Catalog.Migrations"), .. command], ct, environment: new Dictionary<string,
            string>(settings)
        { ["DATAXPIPE_DB"] = database }, directory: _folder);

    public string NewFile(string name) => Path.Combine(_folder, $"{++_files}-{name}");

    public string NewFolder(string name) => Directory.CreateDirectory(NewFile(name)).FullName;

    public async ValueTask DisposeAsync()
    {
        await Postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    // Deletes the folders of runs that were killed: their process no longer exists.
    private static void DeleteLeftovers(string work)
    {
        foreach (var folder in Directory.GetDirectories(work, Prefix + "*")
            .Where(folder => !Directory.Exists($"/proc/{Path.GetFileName(folder)[Prefix.Length..]}")))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Catalog.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new BenchException("The harness must be in a folder below Catalog.sln.");
        }

        return folder;
    }
}
