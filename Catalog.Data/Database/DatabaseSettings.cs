using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Data.Database.Postgres;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>The two engines that hold a Catalog.</summary>
public enum DatabaseEngine
{
    /// <summary>A file beside the service: the default that needs no set-up.</summary>
    Sqlite,

    /// <summary>PostgreSQL 15 or later: production.</summary>
    Postgres,
}

/// <summary>A setting that cannot be used. The message names the setting, says how to fix it and holds no secret.</summary>
public sealed class SettingException(string message) : Exception(message);

/// <summary>Where the Catalog's own database is and how it is reached. The API and the console read it alike.</summary>
public sealed partial class DatabaseSettings
{
    /// <summary>The role on Postgres that the service's statements run as, unless another is named.</summary>
    public const string DefaultAppRole = "catalog_app";

    /// <summary>The schema on Postgres that holds the Catalog's tables, unless another is named.</summary>
    public const string DefaultSchema = "public";

    private DatabaseSettings(DatabaseEngine engine, string? sqlitePath, NpgsqlConnectionStringBuilder? postgres)
    {
        Engine = engine;
        SqlitePath = sqlitePath;
        Postgres = postgres;
    }

    /// <summary>The engine that the address names.</summary>
    public DatabaseEngine Engine { get; }

    /// <summary>The database file on SQLite, otherwise null.</summary>
    public string? SqlitePath { get; }

    /// <summary>The connection on Postgres, with its password, otherwise null. Never to be printed.</summary>
    internal NpgsqlConnectionStringBuilder? Postgres { get; }

    /// <summary>The setting that names it, such as <c>DATAXPIPE_DB</c>.</summary>
    public string ReadFrom { get; private init; } = "DATAXPIPE_DB";

    /// <summary>The user that the address names; null where it names none, and on SQLite.</summary>
    public string? User => Postgres?.Username;

    /// <summary>Whether every statement is logged with its duration; never with its parameters.</summary>
    public bool Echo { get; private set; }

    /// <summary>The role on Postgres that the service's statements run as.</summary>
    public string AppRole { get; private set; } = DefaultAppRole;

    /// <summary>The schema on Postgres that holds the Catalog's tables.</summary>
    public string Schema { get; private init; } = DefaultSchema;

    /// <summary>Whether a pooler in transaction mode stands before Postgres; null: find out.</summary>
    internal bool? BehindPooler { get; private init; }

    /// <summary>A sentence that names what the address says and nothing here heeds; null: all of it is heeded.</summary>
    public string? LeftOut { get; private init; }

    /// <summary>Whether nothing may be served where the database itself does not keep organizations apart.</summary>
    public bool RequireRowSecurity { get; private set; }

    /// <summary>The database in words that may be logged: engine, host and database, never a password.</summary>
    public string Display => Postgres is { } postgres
        ? $"Postgres database {postgres.Database ?? postgres.Username ?? "(default)"} on {postgres.Host}"
        : $"SQLite file {SqlitePath}";

    /// <summary>
    /// Reads the first of: <c>DATAXPIPE_DB</c>, <c>DATABASE_URL</c>, <c>DATABASE__URL</c>, the parts <c>DATABASE__HOST</c> and
    /// <c>DATABASE_HOST</c>; with none of them the SQLite file <c>catalog.db</c> in the working directory.
    /// </summary>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static DatabaseSettings Read(IConfiguration configuration)
    {
        var settings = Locate(configuration);
        // Judged on SQLite too, so that a mistake shows before the day of the cutover.
        Pool(configuration);
        settings.Echo = Setting.Flag(configuration, "DATAXPIPE_DB_ECHO") ?? Setting.Flag(configuration, "DATABASE:ECHO") ?? false;
        settings.AppRole = ReadAppRole(configuration);
        settings.RequireRowSecurity = Setting.Flag(configuration, "DATAXPIPE_REQUIRE_RLS") ?? false;
        if (settings is { RequireRowSecurity: true, Engine: DatabaseEngine.Sqlite })
        {
            throw new SettingException("DATAXPIPE_REQUIRE_RLS is set, and SQLite has no row-level security: use Postgres, or leave it out.");
        }
        return settings;
    }

    /// <summary>The role on Postgres that the service's statements run as: <c>DATAXPIPE_APP_ROLE</c>, else <c>catalog_app</c>.</summary>
    /// <exception cref="SettingException">It is no plain name.</exception>
    public static string ReadAppRole(IConfiguration configuration) => PostgresGrants.Role("DATAXPIPE_APP_ROLE", Setting.Text(configuration, "DATAXPIPE_APP_ROLE") ?? DefaultAppRole);

    private static DatabaseSettings Locate(IConfiguration configuration)
    {
        foreach (var key in new[] { "DATAXPIPE_DB", "DATABASE_URL", "DATABASE:URL" })
        {
            // Generators leave ${...} in the last two and expect the parts to be used; in the first it is a mistake worth an error.
            if (Setting.Text(configuration, key) is { } value && (key == "DATAXPIPE_DB" || !Placeholder().IsMatch(value)))
            {
                return From(Setting.Name(key), value, configuration);
            }
        }

        return FromParts(configuration) ?? From("DATAXPIPE_DB", "catalog.db", configuration);
    }

    /// <summary>The address that changes the schema: <c>DATAXPIPE_MIGRATIONS_DB</c>, a direct connection as the tables' owner, else as <see cref="Read"/>.</summary>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static DatabaseSettings ReadForMigrations(IConfiguration configuration) =>
        Setting.Text(configuration, "DATAXPIPE_MIGRATIONS_DB") is { } value ? From("DATAXPIPE_MIGRATIONS_DB", value, configuration) : Read(configuration);

    /// <summary>Whether both name one database by the same user and way.</summary>
    public bool IsSameAs(DatabaseSettings other) => SqlitePath == other.SqlitePath && Postgres?.ConnectionString == other.Postgres?.ConnectionString;

    /// <summary>Reads one address, as <c>DATAXPIPE_DB</c> would hold it.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="value">The address.</param>
    /// <param name="configuration">Holds what else belongs to a connection.</param>
    /// <exception cref="SettingException">It cannot be used.</exception>
    public static DatabaseSettings From(string name, string value, IConfiguration configuration)
    {
        value = Setting.Text(name, value) ?? "";
        if (Placeholder().IsMatch(value))
        {
            throw new SettingException($"{name}: replace the ${{...}} placeholder; a $ in a password can be written %24.");
        }

        if (PostgresAddress.Matches(value))
        {
            return OnPostgres(name, PostgresAddress.Read(name, value), configuration);
        }

        if (value.StartsWith("sqlite://", StringComparison.OrdinalIgnoreCase))
        {
            // sqlite:///relative and sqlite:////absolute, as SQLAlchemy writes them.
            var path = value["sqlite://".Length..];
            return path is ['/', _, ..] && !path.Contains('?', StringComparison.Ordinal)
                ? OnSqlite(name, path[1..])
                : throw new SettingException(
                    $"{name}: write a SQLite file as sqlite:///relative.db or sqlite:////absolute.db, without parameters.");
        }

        return NoPlainPath().IsMatch(value)
            ? throw new SettingException(
                $"{name}: only postgresql://, postgres:// and sqlite:/// addresses, Npgsql's Host=...;Username=... or a plain file path are understood;"
                + " write a path that holds a = or begins with a name and a colon after sqlite:///.")
            : OnSqlite(name, value);
    }

    // Key=value pairs, other schemes and addresses that lost theirs: as a file they would start an empty Catalog that is named, in
    // the log, by their password.
    [GeneratedRegex("^[A-Za-z][A-Za-z0-9+.-]+:|:.*@|=|://", RegexOptions.Singleline)]
    private static partial Regex NoPlainPath();

    [GeneratedRegex(@"\$\{.*\}", RegexOptions.Singleline)]
    private static partial Regex Placeholder();

    // No message names the path: it may be a mistyped address with a password in it.
    private static DatabaseSettings OnSqlite(string name, string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || path == ":memory:")
        {
            throw new SettingException($"{name}: name a file; a database in memory would be lost, and no path holds a NUL character.");
        }

        // Half of a pair, or a pair behind sqlite:///: as a file it would be a new, empty Catalog.
        if (path[0] is '"' or '\'' || path[^1] is '"' or '\'')
        {
            throw new SettingException($"{name}: the path begins or ends with a quote; remove the quotes.");
        }

        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new SettingException($"{name}: this is a directory; name a file in it, such as catalog.db.");
        }

        return Directory.Exists(Path.GetDirectoryName(full))
            ? new(DatabaseEngine.Sqlite, full, null) { ReadFrom = name }
            : throw new SettingException(
                $"{name}: the directory of this file does not exist; create it first. Relative paths begin at {Directory.GetCurrentDirectory()}.");
    }

    private static DatabaseSettings? FromParts(IConfiguration configuration)
    {
        foreach (var (prefix, user) in new[] { ("DATABASE:", "USER"), ("DATABASE_", "USERNAME") })
        {
            var name = Setting.Name(prefix);
            if (Setting.Text(configuration, prefix + "HOST") is not { } host)
            {
                // The parts of a server without its host are a mistake; a SQLite file in its place would be found out too late.
                if (new[] { "PASSWORD", "NAME", user }.FirstOrDefault(part => Setting.Text(configuration, prefix + part) is not null) is { } part)
                {
                    throw new SettingException($"{name}{part} is set and {name}HOST is not: set the host too, or unset both.");
                }

                continue;
            }

            if (Placeholder().IsMatch(host))
            {
                continue;
            }

            if (host.Split(',').Any(PostgresUriHosts.HoldsPort))
            {
                throw new SettingException($"{name}HOST must be a host alone; write its port into {name}PORT.");
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

    private static (int Min, int Max, int? Timeout) Pool(IConfiguration configuration, PostgresAddress? address = null)
    {
        int? Said(string keyword, int value) => address?.Connection.ShouldSerialize(keyword) is true ? value : null;
        var max = Setting.Number(configuration, "DATAXPIPE_PG_POOL_MAX", 1, 1000)
            ?? Said("Maximum Pool Size", address?.Connection.MaxPoolSize ?? 0)
            ?? Setting.Number(configuration, "DATABASE:POOL_SIZE", 1, 1000) + (Setting.Number(configuration, "DATABASE:MAX_OVERFLOW", 0, 1000) ?? 0)
            ?? 10;
        var min = Setting.Number(configuration, "DATAXPIPE_PG_POOL_MIN", 0, 1000) ?? Math.Min(max, Said("Minimum Pool Size", address?.Connection.MinPoolSize ?? 0) ?? 1);
        if (min > max)
        {
            throw new SettingException(
                $"DATAXPIPE_PG_POOL_MIN ({min}) is larger than the pool's maximum ({max}); lower it or raise DATAXPIPE_PG_POOL_MAX.");
        }

        return (min, max, Setting.Number(configuration, "DATAXPIPE_PG_POOL_TIMEOUT", 1, 60) ?? address?.PoolTimeout);
    }

    private static DatabaseSettings OnPostgres(string name, PostgresAddress address, IConfiguration configuration)
    {
        var postgres = address.Connection;
        (postgres.MinPoolSize, postgres.MaxPoolSize, var timeout) = Pool(configuration, address);
        postgres.Timeout = timeout ?? (postgres.ShouldSerialize("Timeout") ? postgres.Timeout : 2);
        // With the second in which a cancel is waited for, no request waits longer than five seconds for a silent server.
        postgres.CommandTimeout = 4;
        // A page of 50 results is some 22 KB, more than the driver's own 8 KiB hold at once.
        postgres.ReadBufferSize = 32 * 1024;
        postgres.CancellationTimeout = 1000;
        // The service leaves no session state behind (transaction-local settings only), so the reset on return would buy nothing.
        postgres.NoResetOnClose = true;
        postgres.MaxAutoPrepare = postgres.ShouldSerialize("Max Auto Prepare") ? postgres.MaxAutoPrepare : 100;
        // Of several hosts, one that was down is tried again soon enough for writes to go on within seconds after a failover.
        postgres.HostRecheckSeconds = 2;
        postgres.AutoPrepareMinUsages = 2;
        // Npgsql 10.0.0 falls back badly where the library is missing (npgsql#6422), and no supported host needs it.
        if (!postgres.ShouldSerialize("GSS Encryption Mode"))
        {
            postgres.GssEncryptionMode = GssEncryptionMode.Disable;
        }

        postgres.ApplicationName ??= "catalog";
        var schema = ReadSchema(configuration, postgres);
        return new(DatabaseEngine.Postgres, null, postgres)
        {
            ReadFrom = name,
            Schema = schema,
            BehindPooler = Setting.Flag(configuration, "DATAXPIPE_PGBOUNCER") ?? address.BehindPooler,
            LeftOut = address.Ignored.Count == 0 ? null
                : $"{name} holds what has no counterpart here and is left out: {string.Join(", ", address.Ignored)}.",
        };
    }

    // An address may name the schema too; it is set in each session, because poolers refuse it as a start-up parameter.
    private static string ReadSchema(IConfiguration configuration, NpgsqlConnectionStringBuilder postgres)
    {
        var setting = Setting.Text(configuration, "DATAXPIPE_PG_SCHEMA");
        var named = postgres.SearchPath;
        postgres.SearchPath = null;
        if (postgres.Options is { } options && SearchPathOption().Match(options) is { Success: true } match)
        {
            named ??= match.Groups["schema"].Value;
            options = options.Remove(match.Index, match.Length).Trim();
            postgres.Options = options.Length == 0 ? null : options;
        }

        var schema = setting ?? named ?? DefaultSchema;
        return SchemaName().IsMatch(schema) && !schema.StartsWith("pg_", StringComparison.Ordinal) && schema != "information_schema"
            ? schema
            : throw new SettingException("DATAXPIPE_PG_SCHEMA must be the name of one schema: small letters, digits and underscores, "
                + "beginning with a letter or underscore, at most 63, and none of the server's own (pg_..., information_schema).");
    }

    [GeneratedRegex(@"(^|\s)(-c\s*|--)search_path\s*=\s*(?<schema>\S+)")]
    private static partial Regex SearchPathOption();

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex SchemaName();
}
