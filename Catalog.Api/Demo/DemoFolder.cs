using Catalog.Data.Settings;

namespace Catalog.Api.Demo;

/// <summary>
/// The temporary folder of a demo, with its catalog and its warehouse. It is deleted when the service stops.
/// </summary>
internal sealed class DemoFolder : IDisposable
{
    /// <summary>The argument that starts the demo.</summary>
    private const string Switch = "--demo";

    // The settings that name a database.
    private static readonly string[] Addresses = ["DATAXPIPE_DB", "DATABASE_URL", "DATABASE:URL", "DATABASE:HOST", "DATABASE_HOST"];

    private readonly string _path = Directory.CreateTempSubdirectory("catalog-demo-").FullName;

    /// <summary>The folder with the files of warehouses.</summary>
    public string Warehouses => Path.Combine(_path, "warehouses");

    /// <summary>Whether the arguments ask for the demo.</summary>
    /// <param name="args">The arguments of the process.</param>
    /// <param name="others">The other arguments, which contain settings.</param>
    public static bool IsAskedFor(string[] args, out string[] others)
    {
        others = [.. args.Where(argument => argument != Switch)];
        return others.Length < args.Length;
    }

    /// <summary>Creates the folder, and makes the service use it.</summary>
    /// <exception cref="SettingException">
    /// A database is configured. The demo never writes to a configured database.
    /// </exception>
    public static DemoFolder Create(WebApplicationBuilder builder)
    {
        if (Array.Find(Addresses, name => Setting.Text(builder.Configuration, name) is not null) is { } configured)
        {
            throw new SettingException(
                $"{Setting.Name(configured)} is set, and the demo uses only a temporary database. Remove the setting, or start "
                    + $"without {Switch}.");
        }

        var folder = new DemoFolder();
        Directory.CreateDirectory(folder.Warehouses);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DATAXPIPE_DB"] = Path.Combine(folder._path, "catalog.db"),
            ["DATAXPIPE_WAREHOUSE_FILES"] = folder.Warehouses,
            ["DATAXPIPE_USE_MIGRATIONS"] = "false",
        });
        return folder;
    }

    /// <summary>
    /// Adds the service that fills the catalog. Call it after the services that store its posts are added.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="folder">The folder; null without a demo.</param>
    public static void AddTo(IServiceCollection services, DemoFolder? folder)
    {
        if (folder is not null)
        {
            services.AddSingleton(folder).AddSingleton<DemoClient>().AddHostedService<DemoService>();
        }
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(_path, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"catalog: the folder of the demo could not be deleted; delete {_path}. {failure.Message}");
        }
    }
}
