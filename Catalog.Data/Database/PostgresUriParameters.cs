using System.Globalization;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>libpq's connection parameters and their counterparts in Npgsql. What has none is refused, never ignored.</summary>
internal static class PostgresUriParameters
{
    /// <summary>Sets one parameter.</summary>
    /// <exception cref="FormatException">It is unknown, or its value is not one that it takes.</exception>
    public static void Set(NpgsqlConnectionStringBuilder builder, string name, string value, int hosts)
    {
        switch (name)
        {
            case "user": builder.Username = value; break;
            case "password": builder.Password = value; break;
            case "dbname": builder.Database = value; break;
            case "application_name": builder.ApplicationName = value; break;
            case "fallback_application_name": builder.ApplicationName ??= value; break;
            case "options": builder.Options = value; break;
            case "passfile": builder.Passfile = value; break;
            case "sslcert": builder.SslCertificate = value; break;
            case "sslkey": builder.SslKey = value; break;
            case "sslpassword": builder.SslPassword = value; break;
            case "require_auth": builder.RequireAuth = value; break;
            case "sslrootcert":
                builder.RootCertificate = value != "system" ? value
                    : throw new FormatException("sslrootcert=system is not supported; leave it out, and verify-full uses the system's certificates.");
                break;
            case "sslmode": builder.SslMode = Word(name, value, SslModes); break;
            case "gssencmode": builder.GssEncryptionMode = Word(name, value, GssModes); break;
            case "channel_binding": builder.ChannelBinding = Word(name, value, ChannelBindings); break;
            case "load_balance_hosts": builder.LoadBalanceHosts = Word(name, value, LoadBalancing); break;
            case "connect_timeout": builder.Timeout = Whole(name, value, 0, 1024); break;
            case "keepalives": builder.TcpKeepAlive = Whole(name, value, 0, 1) == 1; break;
            case "keepalives_idle": builder.TcpKeepAliveTime = Whole(name, value, 0, int.MaxValue); break;
            case "keepalives_interval": builder.TcpKeepAliveInterval = Whole(name, value, 0, int.MaxValue); break;
            case "client_encoding" when value.ToUpperInvariant() is "UTF8" or "UTF-8" or "AUTO": break;
            // Npgsql refuses it with a single host, where it could only ever say "any" or fail.
            case "target_session_attrs" when hosts == 1 && value == "any": break;
            case "target_session_attrs" when hosts == 1:
                throw new FormatException("target_session_attrs needs two or more hosts.");
            case "target_session_attrs":
                builder.TargetSessionAttributes = SessionAttributes.Contains(value, StringComparer.Ordinal) ? value
                    : throw new FormatException($"target_session_attrs must be one of: {string.Join(", ", SessionAttributes)}.");
                break;
            default:
                throw new FormatException(Known(name)
                    ? $"the parameter {name} has no counterpart here; remove it."
                    : "a parameter after the ? is not one that libpq knows; check its spelling.");
        }
    }

    private static readonly string[] SessionAttributes = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

    private static readonly Dictionary<string, SslMode> SslModes = new()
    {
        ["disable"] = SslMode.Disable,
        ["allow"] = SslMode.Allow,
        ["prefer"] = SslMode.Prefer,
        ["require"] = SslMode.Require,
        ["verify-ca"] = SslMode.VerifyCA,
        ["verify-full"] = SslMode.VerifyFull,
    };

    private static readonly Dictionary<string, GssEncryptionMode> GssModes = new()
    {
        ["disable"] = GssEncryptionMode.Disable,
        ["prefer"] = GssEncryptionMode.Prefer,
        ["require"] = GssEncryptionMode.Require,
    };

    private static readonly Dictionary<string, ChannelBinding> ChannelBindings = new()
    {
        ["disable"] = ChannelBinding.Disable,
        ["prefer"] = ChannelBinding.Prefer,
        ["require"] = ChannelBinding.Require,
    };

    private static readonly Dictionary<string, bool> LoadBalancing = new() { ["disable"] = false, ["random"] = true };

    // A mistyped name may be a piece of a password that held an unescaped ?, so only names that libpq knows are repeated.
    private static bool Known(string name) => name is "hostaddr" or "service" or "servicefile" or "replication" or "sslcompression" or "sslcrl"
        or "sslcrldir" or "sslsni" or "ssl_min_protocol_version" or "ssl_max_protocol_version" or "krbsrvname" or "gsslib" or "gssdelegation"
        or "requirepeer" or "keepalives_count" or "tcp_user_timeout" or "client_encoding" or "requiressl" or "sslnegotiation" or "sslcertmode";

    private static T Word<T>(string name, string value, Dictionary<string, T> words) =>
        words.TryGetValue(value, out var found) ? found
            : throw new FormatException($"{name} must be one of: {string.Join(", ", words.Keys)}.");

    private static int Whole(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} must be a whole number from {least} to {most}.");
}
