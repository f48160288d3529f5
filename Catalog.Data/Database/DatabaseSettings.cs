using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// The address and options of the Catalog's own database. The service and the console read the same settings.
/// </summary>
public sealed partial class DatabaseSettings
{
    /// <summary>The default Postgres role for the service's statements.</summary>
    public const string DefaultAppRole = "catalog_app";

    /// <summary>The default Postgres schema of the Catalog's tables.</summary>
    public const string DefaultSchema = "public";

    private DatabaseSettings(DatabaseEngine engine, string? sqlitePath, NpgsqlConnectionStringBuilder? postgres)
    {
        Engine = engine;
        SqlitePath = sqlitePath;
        Postgres = postgres;
    }

    /// <summary>The engine of the address.</summary>
    public DatabaseEngine Engine { get; }

    /// <summary>The absolute path of the SQLite file; null on Postgres.</summary>
    public string? SqlitePath { get; }

    /// <summary>The Postgres connection with its password; null on SQLite. Never print it.</summary>
    internal NpgsqlConnectionStringBuilder? Postgres { get; }

    /// <summary>The name of the setting that holds the address, such as <c>DATAXPIPE_DB</c>.</summary>
    public string ReadFrom { get; private init; } = "DATAXPIPE_DB";

    /// <summary>The user in the address; null on SQLite, and when the address names no user.</summary>
    public string? User => Postgres?.Username;

    /// <summary>Whether every statement is logged with its duration. Parameters are never logged.</summary>
    public bool Echo { get; private set; }

    /// <summary>The Postgres role for the service's statements.</summary>
    public string AppRole { get; private set; } = DefaultAppRole;

    /// <summary>The Postgres schema of the Catalog's tables.</summary>
    public string Schema { get; private init; } = DefaultSchema;

    /// <summary>Whether Postgres is behind a pooler in transaction mode; null to detect it.</summary>
    internal bool? BehindPooler { get; private init; }

    /// <summary>A warning that lists the ignored parameters of the address; null when none is ignored.</summary>
    public string? IgnoredWarning { get; private init; }

    /// <summary>Whether requests fail unless row-level security isolates organizations.</summary>
    public bool RequireRowSecurity { get; private set; }

    /// <summary>The same Postgres database with another schema.</summary>
    internal DatabaseSettings InSchema(string schema) =>
        new(Engine, null, Postgres) { ReadFrom = ReadFrom, Schema = schema, BehindPooler = BehindPooler };

    /// <summary>The settings of another SQLite file.</summary>
    internal static DatabaseSettings OfFile(string path) => new(DatabaseEngine.Sqlite, path, null);

    /// <summary>A description for logs: engine, host and database, never a password.</summary>
    public string Display => Postgres is { } postgres
        ? $"Postgres database {postgres.Database ?? postgres.Username ?? "(default)"} on {postgres.Host}"
        : $"SQLite file {SqlitePath}";

    /// <summary>
    /// Reads the address from the first of these settings that has a value: <c>DATAXPIPE_DB</c>, <c>DATABASE_URL</c>,
    /// <c>DATABASE__URL</c>, <c>DATABASE__HOST</c> with its other parts, <c>DATABASE_HOST</c> with its other parts. The
    /// default is the SQLite file <c>catalog.db</c> in the working directory.
    /// </summary>
    /// <exception cref="SettingException">A value is invalid.</exception>
    public static DatabaseSettings Read(IConfiguration configuration)
    {
        var settings = FindAddress(configuration);
        // These settings are validated on SQLite too, so that a mistake is found before the move to Postgres.
        PostgresConnectionSettings.ReadPool(configuration);
        PostgresConnectionSettings.ReadSchema(new(), configuration);
        settings.Echo = Setting.Flag(configuration, "DATAXPIPE_DB_ECHO") ?? Setting.Flag(configuration, "DATABASE:ECHO") ?? false;
        settings.AppRole = ReadAppRole(configuration);
        settings.RequireRowSecurity = Setting.Flag(configuration, "DATAXPIPE_REQUIRE_RLS") ?? false;
        if (settings is { RequireRowSecurity: true, Engine: DatabaseEngine.Sqlite })
        {
            throw new SettingException(
                "DATAXPIPE_REQUIRE_RLS is set, and SQLite has no row-level security: use Postgres, or remove the setting.");
        }
        return settings;
    }

    /// <summary>
    /// The Postgres role for the service's statements: <c>DATAXPIPE_APP_ROLE</c>, by default <c>catalog_app</c>.
    /// </summary>
    /// <exception cref="SettingException">The value is not a valid role name.</exception>
    public static string ReadAppRole(IConfiguration configuration) =>
        PostgresGrants.ValidateRole("DATAXPIPE_APP_ROLE", Setting.Text(configuration, "DATAXPIPE_APP_ROLE") ?? DefaultAppRole);

    private static DatabaseSettings FindAddress(IConfiguration configuration)
    {
        foreach (var key in new[] { "DATAXPIPE_DB", "DATABASE_URL", "DATABASE:URL" })
        {
            // Some tools leave a placeholder ${...} in DATABASE_URL or DATABASE__URL and set host and other parts
            // separately, so such a value is skipped. In DATAXPIPE_DB it is an error.
            if (Setting.Text(configuration, key) is { } value && (key == "DATAXPIPE_DB" || !Placeholder().IsMatch(value)))
            {
                return From(Setting.Name(key), value, configuration);
            }
        }

        return FromParts(configuration) ?? From("DATAXPIPE_DB", "catalog.db", configuration);
    }

    /// <summary>
    /// Reads the address for schema changes from <c>DATAXPIPE_MIGRATIONS_DB</c>: a direct connection as the owner of
    /// the tables. If it is not set, the address is that of <see cref="Read"/>.
    /// </summary>
    /// <exception cref="SettingException">A value is invalid.</exception>
    public static DatabaseSettings ReadForMigrations(IConfiguration configuration) =>
        Setting.Text(configuration, "DATAXPIPE_MIGRATIONS_DB") is { } value
            ? From("DATAXPIPE_MIGRATIONS_DB", value, configuration) : Read(configuration);

    /// <summary>Whether both settings have the same address, user and connection options.</summary>
    public bool IsSameAs(DatabaseSettings other) => SqlitePath == other.SqlitePath
        && Postgres?.ConnectionString == other.Postgres?.ConnectionString;

    /// <summary>Reads one address in any form that <c>DATAXPIPE_DB</c> accepts.</summary>
    /// <param name="name">The name of the setting for error messages.</param>
    /// <param name="value">The address.</param>
    /// <param name="configuration">The settings of the connection, such as the pool size.</param>
    /// <exception cref="SettingException">The address is invalid.</exception>
    public static DatabaseSettings From(string name, string value, IConfiguration configuration)
    {
        value = Setting.Text(name, value) ?? "";
        if (Placeholder().IsMatch(value))
        {
            throw new SettingException($"{name}: the ${{...}} placeholder was not replaced by its value. Replace it. If the "
                + "password really contains these characters, use an address of the form postgresql://..., and write the $ as %24.");
        }

        if (PostgresAddress.Matches(value))
        {
            return OnPostgres(name, PostgresAddress.Read(name, value), configuration);
        }

        if (value.StartsWith("sqlite://", StringComparison.OrdinalIgnoreCase))
        {
            // SQLAlchemy's forms: sqlite:///relative and sqlite:////absolute.
            var path = value["sqlite://".Length..];
            return path is ['/', _, ..] && !path.Contains('?', StringComparison.Ordinal)
                ? OnSqlite(name, path[1..])
                : throw new SettingException(
                    $"{name}: write a SQLite file as sqlite:///relative.db or sqlite:////absolute.db, without parameters.");
        }

        return NotAPath().IsMatch(value)
            ? throw new SettingException(
                $"{name}: only postgresql://, postgres:// and sqlite:/// addresses, Npgsql's Host=...;Username=... or a plain file "
                    + "path are allowed. Put sqlite:/// before a file path that contains = or that begins with a name and a colon.")
            : OnSqlite(name, value);
    }

    // Matches key=value pairs, other schemes, and addresses without their scheme. Used as a file name, such a value
    // would create an empty Catalog, and the log would show its password as part of the file name.
    [GeneratedRegex("^[A-Za-z][A-Za-z0-9+.-]+:|:.*@|=|://", RegexOptions.Singleline)]
    private static partial Regex NotAPath();

    [GeneratedRegex(@"\$\{.*\}", RegexOptions.Singleline)]
    private static partial Regex Placeholder();

    // No message contains the path, because it can be a mistyped address with a password.
    private static DatabaseSettings OnSqlite(string name, string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || path == ":memory:")
        {
            throw new SettingException(
                $"{name}: name a file; a database in memory would be lost, and a path cannot contain a NUL character.");
        }

        // Values in quotes are rejected before, but not a value with a quote at only one end, or with quotes after
        // sqlite:///. Such a path would create a new, empty Catalog.
        if (path[0] is '"' or '\'' || path[^1] is '"' or '\'')
        {
            throw new SettingException($"{name}: the path begins or ends with a quote; remove the quotes.");
        }

        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new SettingException($"{name}: the path is a directory; name a file in it, such as catalog.db.");
        }

        return Directory.Exists(Path.GetDirectoryName(full))
            ? new(DatabaseEngine.Sqlite, full, null) { ReadFrom = name }
            : throw new SettingException(
                $"{name}: the directory of this file does not exist; create it first. Relative paths start at "
                    + $"{Directory.GetCurrentDirectory()}.");
    }

    private static DatabaseSettings? FromParts(IConfiguration configuration)
    {
        foreach (var (prefix, user) in new[] { ("DATABASE:", "USER"), ("DATABASE_", "USERNAME") })
        {
            var name = Setting.Name(prefix);
            if (Setting.Text(configuration, prefix + "HOST") is not { } host)
            {
                // Parts without a host are a mistake. Falling back to a SQLite file would hide it.
                if (new[] { "PASSWORD", "NAME", user }.FirstOrDefault(part => Setting.Text(configuration, prefix + part) is not null)
                    is { } part)
                {
                    throw new SettingException($"{name}{part} is set, but {name}HOST is not: set the host too, or remove {name}{part}.");
                }

                continue;
            }

            if (Placeholder().IsMatch(host))
            {
                continue;
            }

            if (host.Split(',').Any(PostgresUriHosts.ContainsPort))
            {
                throw new SettingException($"{name}HOST must be a host without a port; set the port in {name}PORT.");
            }

            var portText = Setting.Text(configuration, prefix + "PORT") ?? "5432";
            if (!int.TryParse(portText, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
            {
                throw new SettingException($"{name}PORT must be a number from 1 to 65535.");
            }

            return OnPostgres(name + "HOST", new PostgresAddress
            {
                Connection =
                {
                    Host = host,
                    Port = port,
                    Database = Setting.Text(configuration, prefix + "NAME"),
                    Username = Setting.Text(configuration, prefix + user),
                    Password = Setting.Text(configuration, prefix + "PASSWORD"),
                },
            }, configuration);
        }

        return null;
    }

    private static DatabaseSettings OnPostgres(string name, PostgresAddress address, IConfiguration configuration)
    {
        PostgresConnectionSettings.Apply(address, configuration);
        return new(DatabaseEngine.Postgres, null, address.Connection)
        {
            ReadFrom = name,
            Schema = PostgresConnectionSettings.ReadSchema(address.Connection, configuration),
            BehindPooler = Setting.Flag(configuration, "DATAXPIPE_PGBOUNCER") ?? address.BehindPooler,
            IgnoredWarning = address.Ignored.Count == 0 ? null
                : $"{name} has parameters that the Catalog does not support and ignores: {string.Join(", ", address.Ignored)}.",
        };
    }
}
