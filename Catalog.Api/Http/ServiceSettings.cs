using System.Net;
using Catalog.Data.Database;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;

namespace Catalog.Api.Http;

/// <summary>
/// The settings of the service, read once at start. An invalid value stops the start with a message that says what to
/// do.
/// </summary>
internal sealed record ServiceSettings
{
    /// <summary>The address to listen on when none is configured.</summary>
    public const string DefaultUrl = "http://localhost:8000";

    /// <summary>
    /// The operator's key, with every scope in the organization <c>default</c>; null when none is set.
    /// </summary>
    public required string? PlatformKey { get; init; }

    /// <summary>Whether the well-known development keys are accepted, from loopback only.</summary>
    public required bool DevKeys { get; init; }

    /// <summary>
    /// Whether only the migration tool upgrades the schema. False (SQLite only): the service upgrades the schema at
    /// start.
    /// </summary>
    public required bool UseMigrations { get; init; }

    /// <summary>The 32-byte key that encrypts the secrets of connections; null when none is set.</summary>
    public required byte[]? SecretKey { get; init; }

    /// <summary>The secret key before the last change; null when there is none. It is used only to decrypt.</summary>
    public required byte[]? PreviousSecretKey { get; init; }

    /// <summary>Whether connections to warehouses at loopback and private addresses are allowed.</summary>
    public required bool PrivateWarehouses { get; init; }

    /// <summary>The folder with the files of SQLite and DuckDB warehouses; null when none is set.</summary>
    public required string? WarehouseFiles { get; init; }

    /// <summary>Whether the log is written as JSON, one document per line.</summary>
    public required bool LogAsJson { get; init; }

    /// <summary>Whether each request is logged.</summary>
    public required bool AccessLog { get; init; }

    /// <summary>The addresses to listen on.</summary>
    public required IReadOnlyList<string> Urls { get; init; }

    /// <exception cref="SettingException">A value is not valid.</exception>
    public static ServiceSettings Read(IConfiguration configuration, DatabaseEngine engine)
    {
        var urls = UrlsOf(configuration);
        var allLoopback = urls.All(IsLoopback);
        var devKeys = Setting.Flag(configuration, "DATAXPIPE_DEV_KEYS") ?? (engine == DatabaseEngine.Sqlite && allLoopback);
        if (devKeys && !allLoopback)
        {
            throw new SettingException(
                "DATAXPIPE_DEV_KEYS is on, but the service listens on a public address, and the development keys are publicly known. "
                    + "Turn it off and set "
                + "DATAXPIPE_PLATFORM_KEY, or listen on localhost only.");
        }

        var platformKey = Setting.Text(configuration, "DATAXPIPE_PLATFORM_KEY");
        if (platformKey is { Length: < 32 } || platformKey?.Any(character => character is < '!' or > '~') == true)
        {
            throw new SettingException(
                "DATAXPIPE_PLATFORM_KEY must be at least 32 visible ASCII characters without spaces; create one with `openssl rand "
                    + "-base64 32`.");
        }

        // The service does not use these settings. It checks them so that an error is reported at start and not when
        // old rows are removed.
        RetentionDays.Read(configuration);
        var useMigrations = Setting.Flag(configuration, "DATAXPIPE_USE_MIGRATIONS") ?? Setting.Flag(configuration, "DATAXPIPE_USE_ALEMBIC")
            ?? (engine == DatabaseEngine.Postgres);
        return engine == DatabaseEngine.Postgres && !useMigrations
            ? throw new SettingException(
                "DATAXPIPE_USE_MIGRATIONS cannot be false on Postgres: the service never changes a production schema. Leave it out and run "
                + "`catalog-migrations upgrade head` before the service starts.")
            : new()
            {
                PlatformKey = platformKey,
                DevKeys = devKeys,
                UseMigrations = useMigrations,
                Urls = urls,
                SecretKey = Data.Connections.SecretKey.FromSetting(configuration, "DATAXPIPE_SECRET_KEY"),
                PreviousSecretKey = Data.Connections.SecretKey.FromSetting(configuration, "DATAXPIPE_SECRET_KEY_PREVIOUS"),
                LogAsJson = Setting.Text(configuration, "DATAXPIPE_LOG_FORMAT")?.ToLowerInvariant() switch
                {
                    null or "text" => false,
                    "json" => true,
                    _ => throw new SettingException("DATAXPIPE_LOG_FORMAT must be text or json."),
                },
                AccessLog = Setting.Flag(configuration, "DATAXPIPE_ACCESS_LOG") ?? false,
                PrivateWarehouses = Setting.Flag(configuration, "DATAXPIPE_PRIVATE_WAREHOUSES") ?? true,
                WarehouseFiles = FolderOf(configuration, "DATAXPIPE_WAREHOUSE_FILES"),
            };
    }

    private static string? FolderOf(IConfiguration configuration, string key)
    {
        var folder = Setting.Text(configuration, key);
        return folder is null || Directory.Exists(folder) ? folder
            : throw new SettingException($"{key} must name an existing folder. Create it, or leave the setting out.");
    }

    // Finds the addresses that Kestrel will bind. They must be known before Kestrel listens, because the development
    // keys are allowed on loopback only.
    private static List<string> UrlsOf(IConfiguration configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>()
            .ToList();
        if (endpoints.Count > 0)
        {
            return endpoints;
        }

        if (Split(Setting.Text(configuration, "urls")) is { Count: > 0 } urls)
        {
            return urls;
        }

        List<string> ports =
        [
            .. Split(Setting.Text(configuration, "http_ports")).Select(port => $"http://*:{port}"),
            .. Split(Setting.Text(configuration, "https_ports")).Select(port => $"https://*:{port}"),
        ];
        return ports.Count > 0 ? ports : [DefaultUrl];
    }

    private static List<string> Split(string? list) =>
        [.. (list ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static bool IsLoopback(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw new SettingException(
                "ASPNETCORE_URLS (or --urls) must contain addresses such as http://localhost:8000, separated by semicolons.");
        }

        return address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
    }
}
