using System.Text.RegularExpressions;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Completes the connection of a Postgres address: pool, time limits, prepared statements and schema.
/// </summary>
internal static partial class PostgresConnectionSettings
{
    /// <summary>Sets everything but the schema. Values in the address win over defaults.</summary>
    /// <exception cref="SettingException">A setting of the pool is invalid.</exception>
    public static void Apply(PostgresAddress address, IConfiguration configuration)
    {
        var postgres = address.Connection;
        (postgres.MinPoolSize, postgres.MaxPoolSize, var timeout) = ReadPool(configuration, address);
        postgres.Timeout = timeout ?? (postgres.ShouldSerialize("Timeout") ? postgres.Timeout : 2);
        // Together with the cancellation time-out of 1 s, a request waits at most five seconds for a silent server.
        postgres.CommandTimeout = 4;
        // A page of 50 results has about 22 KB, but the driver's default buffer has only 8 KiB.
        postgres.ReadBufferSize = 32 * 1024;
        postgres.CancellationTimeout = 1000;
        // The service changes only transaction-local settings, so a session reset on return to the pool is not needed.
        postgres.NoResetOnClose = true;
        postgres.MaxAutoPrepare = postgres.ShouldSerialize("Max Auto Prepare") ? postgres.MaxAutoPrepare : 100;
        // With several hosts, a host that was down is checked again after 2 s, so that writes continue soon after a
        // failover.
        postgres.HostRecheckSeconds = 2;
        postgres.AutoPrepareMinUsages = 2;
        // Npgsql 10.0.0 fails without the GSS library (npgsql#6422), and no supported provider needs GSS.
        if (!postgres.ShouldSerialize("GSS Encryption Mode"))
        {
            postgres.GssEncryptionMode = GssEncryptionMode.Disable;
        }

        postgres.ApplicationName ??= "catalog";
    }

    /// <summary>
    /// Reads the pool sizes, and the time limit in seconds for getting a connection from the pool. The time limit is
    /// null when it is not set.
    /// </summary>
    /// <exception cref="SettingException">A value is invalid, or the minimum is larger than the maximum.</exception>
    public static (int Min, int Max, int? Timeout) ReadPool(IConfiguration configuration, PostgresAddress? address = null)
    {
        int? FromAddress(string keyword, int value) => address?.Connection.ShouldSerialize(keyword) is true ? value : null;
        var max = Setting.Number(configuration, "DATAXPIPE_PG_POOL_MAX", 1, 1000)
            ?? FromAddress("Maximum Pool Size", address?.Connection.MaxPoolSize ?? 0)
            ?? Setting.Number(configuration, "DATABASE:POOL_SIZE", 1, 1000) + (
                Setting.Number(configuration, "DATABASE:MAX_OVERFLOW", 0, 1000) ?? 0)
            ?? 10;
        var min = Setting.Number(configuration, "DATAXPIPE_PG_POOL_MIN", 0, 1000)
            ?? Math.Min(max, FromAddress("Minimum Pool Size", address?.Connection.MinPoolSize ?? 0) ?? 1);
        if (min > max)
        {
            throw new SettingException(
                $"DATAXPIPE_PG_POOL_MIN ({min}) is larger than the pool's maximum ({max}); lower it or raise DATAXPIPE_PG_POOL_MAX.");
        }

        return (min, max, Setting.Number(configuration, "DATAXPIPE_PG_POOL_TIMEOUT", 1, 60) ?? address?.PoolTimeout);
    }

    /// <summary>
    /// Reads the schema from <c>DATAXPIPE_PG_SCHEMA</c> or, if it is not set, from the address. If neither names a
    /// schema, it is the default schema. The search path is removed from the connection.
    /// </summary>
    /// <exception cref="SettingException">The name is invalid.</exception>
    public static string ReadSchema(NpgsqlConnectionStringBuilder postgres, IConfiguration configuration)
    {
        var setting = Setting.Text(configuration, "DATAXPIPE_PG_SCHEMA");
        var named = postgres.SearchPath;
        // The schema is set per session instead, because poolers reject it as a start-up parameter.
        postgres.SearchPath = null;
        if (postgres.Options is { } options && SearchPathOption().Match(options) is { Success: true } match)
        {
            named ??= match.Groups["schema"].Value;
            options = options.Remove(match.Index, match.Length).Trim();
            postgres.Options = options.Length == 0 ? null : options;
        }

        // The default search path of the server begins with "$user", the schema of the current user.
        named = named?.Replace("\"$user\",", "", StringComparison.Ordinal).Trim();
        var schema = setting ?? named ?? DatabaseSettings.DefaultSchema;
        return SchemaName().IsMatch(schema) && !schema.StartsWith("pg_", StringComparison.Ordinal) && schema != "information_schema"
            ? schema
            : throw new SettingException((setting is null ? "search_path in the address" : "DATAXPIPE_PG_SCHEMA")
                + " must be the name of one schema: lower-case letters, digits and underscores, "
                + "beginning with a letter or underscore, at most 63 characters, and not reserved by Postgres (pg_..., "
                + "information_schema).");
    }

    [GeneratedRegex(@"(^|\s)(-c\s*|--)search_path\s*=\s*(?<schema>\S+)")]
    private static partial Regex SearchPathOption();

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex SchemaName();
}
