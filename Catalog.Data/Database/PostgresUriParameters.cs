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
        // To libpq an empty text is one that was not given.
        var text = value.Length == 0 ? null : value;
        switch (name)
        {
            case "user": builder.Username = text; break;
            case "password": builder.Password = text; break;
            case "dbname": builder.Database = text; break;
            case "application_name": builder.ApplicationName = text ?? builder.ApplicationName; break;
            case "fallback_application_name": builder.ApplicationName ??= text; break;
            case "options": builder.Options = text; break;
            case "passfile": builder.Passfile = text; break;
            case "krbsrvname": builder.KerberosServiceName = text ?? builder.KerberosServiceName; break;
            case "sslcert": builder.SslCertificate = text; break;
            case "sslkey": builder.SslKey = text; break;
            case "sslpassword": builder.SslPassword = text; break;
            case "require_auth": builder.RequireAuth = text is null ? null : Methods(text); break;
            case "sslrootcert":
                builder.RootCertificate = value != "system" ? text
                    : throw new FormatException("sslrootcert=system is not supported; leave it out, and verify-full uses the system's certificates.");
                break;
            case "sslmode": builder.SslMode = Word(name, value, SslModes); break;
            case "sslnegotiation": builder.SslNegotiation = Word(name, value, SslNegotiations); break;
            case "gssencmode": builder.GssEncryptionMode = Word(name, value, GssModes); break;
            case "channel_binding": builder.ChannelBinding = Word(name, value, ChannelBindings); break;
            case "load_balance_hosts": builder.LoadBalanceHosts = Word(name, value, LoadBalancing); break;
            case "connect_timeout": builder.Timeout = Whole(name, value, 0, 1024); break;
            case "keepalives": builder.TcpKeepAlive = Whole(name, value, 0, 1) == 1; break;
            case "keepalives_idle": builder.TcpKeepAliveTime = Whole(name, value, 0, KeepAliveMost); break;
            case "keepalives_interval": builder.TcpKeepAliveInterval = Whole(name, value, 0, KeepAliveMost); break;
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

    /// <summary>Applies the rules that libpq has between parameters, whatever their order.</summary>
    /// <exception cref="FormatException">Two of them contradict each other.</exception>
    public static void Reconcile(NpgsqlConnectionStringBuilder builder)
    {
        // With a root certificate libpq verifies the chain at "require" too; Npgsql would accept any certificate.
        if (builder is { SslMode: SslMode.Require, RootCertificate: not null })
        {
            builder.SslMode = SslMode.VerifyCA;
        }

        if (builder is { SslNegotiation: SslNegotiation.Direct, SslMode: SslMode.Disable or SslMode.Allow or SslMode.Prefer })
        {
            throw new FormatException("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full.");
        }

        if (builder.ShouldSerialize("TCP Keepalive") && !builder.TcpKeepAlive)
        {
            (builder.TcpKeepAliveTime, builder.TcpKeepAliveInterval) = (0, 0);
        }

        // Npgsql would say so at the first connection only.
        if (builder is { TcpKeepAliveInterval: > 0, TcpKeepAliveTime: 0 })
        {
            throw new FormatException("keepalives_interval needs keepalives_idle beside it; add it.");
        }
    }

    // What Linux takes; the driver would find out at the first connection only.
    private const int KeepAliveMost = 32767;

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

    private static readonly Dictionary<string, SslNegotiation> SslNegotiations = new()
    {
        ["postgres"] = SslNegotiation.Postgres,
        ["direct"] = SslNegotiation.Direct,
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

    // Npgsql knows them only by the names of its enumeration.
    private static readonly Dictionary<string, string> AuthenticationMethods = new()
    {
        ["password"] = "Password",
        ["md5"] = "MD5",
        ["gss"] = "GSS",
        ["sspi"] = "SSPI",
        ["scram-sha-256"] = "ScramSHA256",
        ["none"] = "None",
    };

    private static readonly Dictionary<string, bool> LoadBalancing = new() { ["disable"] = false, ["random"] = true };

    // A mistyped name may be a piece of a password that held an unescaped ?, so only names that libpq knows are repeated.
    private static bool Known(string name) => name is "hostaddr" or "service" or "servicefile" or "replication" or "client_encoding"
        or "sslcompression" or "sslcrl" or "sslcrldir" or "sslsni" or "sslcertmode" or "sslkeylogfile" or "requirepeer"
        or "ssl_min_protocol_version" or "ssl_max_protocol_version" or "min_protocol_version" or "max_protocol_version"
        or "gsslib" or "gssdelegation" or "keepalives_count" or "tcp_user_timeout" or "scram_client_key" or "scram_server_key"
        or "oauth_issuer" or "oauth_client_id" or "oauth_client_secret" or "oauth_scope";

    private static string Methods(string value)
    {
        var methods = value.Split(',');
        var unwanted = methods.Count(method => method.StartsWith('!'));
        return unwanted == 0 || unwanted == methods.Length
            ? string.Join(',', methods.Select(method => method.StartsWith('!') ? $"!{Method(method[1..])}" : Method(method)))
            : throw new FormatException("require_auth must name only wanted methods, or only unwanted ones with a ! before each.");
    }

    private static string Method(string word) => Word("require_auth", word, AuthenticationMethods);

    private static T Word<T>(string name, string value, Dictionary<string, T> words) =>
        words.TryGetValue(value, out var found) ? found
            : throw new FormatException($"{name} must be one of: {string.Join(", ", words.Keys)}.");

    private static int Whole(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} must be a whole number from {least} to {most}.");
}
