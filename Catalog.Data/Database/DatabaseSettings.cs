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
public sealed class DatabaseSettings
{
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

    /// <summary>The database in words that may be logged: engine, host and database, never a password.</summary>
    public string Display => Postgres is { } postgres
        ? $"Postgres database {postgres.Database ?? postgres.Username} on {postgres.Host}"
        : $"SQLite file {SqlitePath}";

    /// <summary>
    /// Reads the first of: <c>DATAXPIPE_DB</c>, <c>DATABASE_URL</c>, <c>DATABASE__URL</c>, the parts <c>DATABASE__HOST</c> and
    /// <c>DATABASE_HOST</c>; with none of them the SQLite file <c>catalog.db</c> in the working directory.
    /// </summary>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static DatabaseSettings Read(IConfiguration configuration)
    {
        // The configuration spells the two underscores of an environment variable as a colon.
        foreach (var (key, name) in new[]
                 {
                     ("DATAXPIPE_DB", "DATAXPIPE_DB"), ("DATABASE_URL", "DATABASE_URL"), ("DATABASE:URL", "DATABASE__URL"),
                 })
        {
            if (configuration[key] is { Length: > 0 } value && !IsPlaceholder(name, value))
            {
                return From(name, value, configuration);
            }
        }

        return FromParts(configuration) ?? From("DATAXPIPE_DB", "catalog.db", configuration);
    }

    /// <summary>The address that changes the schema: <c>DATAXPIPE_MIGRATIONS_DB</c>, a direct connection as the tables' owner, else as <see cref="Read"/>.</summary>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static DatabaseSettings ReadForMigrations(IConfiguration configuration) =>
        configuration["DATAXPIPE_MIGRATIONS_DB"] is { Length: > 0 } value ? From("DATAXPIPE_MIGRATIONS_DB", value, configuration) : Read(configuration);

    // Generators leave ${...} in DATABASE_URL and expect the parts to be used; in DATAXPIPE_DB it is a mistake worth an error.
    private static bool IsPlaceholder(string name, string value) =>
        name != "DATAXPIPE_DB" && value.Contains("${", StringComparison.Ordinal);

    private static DatabaseSettings From(string name, string value, IConfiguration configuration)
    {
        if (PostgresUri.Matches(value))
        {
            return OnPostgres(PostgresUri.Parse(name, value), configuration);
        }

        if (value.StartsWith("sqlite://", StringComparison.OrdinalIgnoreCase))
        {
            // sqlite:///relative and sqlite:////absolute, as SQLAlchemy writes them.
            var path = value["sqlite://".Length..];
            return path is ['/', _, ..]
                ? OnSqlite(name, path[1..])
                : throw new SettingException($"{name}: write a SQLite file as sqlite:///relative.db or sqlite:////absolute.db.");
        }

        return value.Contains("://", StringComparison.Ordinal)
            ? throw new SettingException($"{name}: only postgresql://, postgres:// and sqlite:/// addresses or a plain file path are understood.")
            : OnSqlite(name, value);
    }

    private static DatabaseSettings OnSqlite(string name, string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || path.Contains("${", StringComparison.Ordinal))
        {
            throw new SettingException($"{name}: this is not a file path; a ${{...}} placeholder must be replaced first.");
        }

        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new SettingException($"{name}: {full} is a directory; name a file in it, such as {Path.Combine(full, "catalog.db")}.");
        }

        return Directory.Exists(Path.GetDirectoryName(full))
            ? new(DatabaseEngine.Sqlite, full, null)
            : throw new SettingException($"{name}: the directory {Path.GetDirectoryName(full)} does not exist; create it first.");
    }

    private static DatabaseSettings? FromParts(IConfiguration configuration)
    {
        foreach (var (prefix, user) in new[] { ("DATABASE:", "USER"), ("DATABASE_", "USERNAME") })
        {
            if (configuration[prefix + "HOST"] is not { Length: > 0 } host)
            {
                continue;
            }

            var portText = configuration[prefix + "PORT"] is { Length: > 0 } text ? text : "5432";
            if (!int.TryParse(portText, out var port) || port is < 1 or > 65535)
            {
                throw new SettingException($"{prefix.Replace(":", "__", StringComparison.Ordinal)}PORT must be a number from 1 to 65535.");
            }

            return OnPostgres(new NpgsqlConnectionStringBuilder
            {
                Host = host,
                Port = port,
                Database = configuration[prefix + "NAME"],
                Username = configuration[prefix + user],
                Password = configuration[prefix + "PASSWORD"],
            }, configuration);
        }

        return null;
    }

    private static DatabaseSettings OnPostgres(NpgsqlConnectionStringBuilder postgres, IConfiguration configuration)
    {
        var poolSize = Number(configuration, "DATABASE:POOL_SIZE", 1, 1000);
        var overflow = Number(configuration, "DATABASE:MAX_OVERFLOW", 0, 1000) ?? 0;
        var max = Number(configuration, "DATAXPIPE_PG_POOL_MAX", 1, 1000) ?? (poolSize + overflow) ?? 10;
        var min = Number(configuration, "DATAXPIPE_PG_POOL_MIN", 0, 1000) ?? Math.Min(1, max);
        if (min > max)
        {
            throw new SettingException(
                $"DATAXPIPE_PG_POOL_MIN ({min}) is larger than DATAXPIPE_PG_POOL_MAX ({max}); raise the maximum or lower the minimum.");
        }

        postgres.MinPoolSize = min;
        postgres.MaxPoolSize = max;
        postgres.Timeout = Number(configuration, "DATAXPIPE_PG_POOL_TIMEOUT", 1, 60)
            ?? (postgres.ShouldSerialize("Timeout") ? postgres.Timeout : 2);
        // With the second in which a cancel is waited for, no request waits longer than five seconds for a silent server.
        postgres.CommandTimeout = 4;
        postgres.CancellationTimeout = 1000;
        // The service leaves no session state behind (transaction-local settings only), so the reset on return would buy nothing.
        postgres.NoResetOnClose = true;
        postgres.MaxAutoPrepare = 100;
        postgres.AutoPrepareMinUsages = 2;
        // Npgsql 10.0.0 falls back badly where the library is missing (npgsql#6422), and no supported host needs it.
        if (!postgres.ShouldSerialize("GSS Encryption Mode"))
        {
            postgres.GssEncryptionMode = GssEncryptionMode.Disable;
        }

        postgres.ApplicationName ??= "catalog";
        return new(DatabaseEngine.Postgres, null, postgres);
    }

    private static int? Number(IConfiguration configuration, string key, int least, int most)
    {
        if (configuration[key] is not { Length: > 0 } text)
        {
            return null;
        }

        return int.TryParse(text, out var number) && number >= least && number <= most
            ? number
            : throw new SettingException(
                $"{key.Replace(":", "__", StringComparison.Ordinal)} must be a whole number from {least} to {most}.");
    }
}
