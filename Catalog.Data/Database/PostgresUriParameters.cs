using System.Globalization;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// The parameters of libpq and of other drivers, and their counterparts here. What has none and does no harm is left out and named;
/// what would change where a connection leads or how safe it is, and what nobody knows, is refused.
/// </summary>
internal static class PostgresUriParameters
{
    /// <summary>Sets one parameter.</summary>
    /// <exception cref="FormatException">It is unknown, must not be left out, or has a value that it does not take.</exception>
    public static void Set(PostgresAddress address, string name, string value, int hosts)
    {
        var builder = address.Connection;
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
            case "schema": builder.SearchPath = text; break;
            case "passfile": builder.Passfile = text; break;
            case "krbsrvname": builder.KerberosServiceName = text ?? builder.KerberosServiceName; break;
            case "sslcert": builder.SslCertificate = text; break;
            case "sslkey": builder.SslKey = text; break;
            case "sslpassword": builder.SslPassword = text; break;
            case "require_auth": builder.RequireAuth = text is null ? null : Methods(text); break;
            case "sslrootcert" when value == "system": address.SystemCertificates = true; break;
            case "sslrootcert": builder.RootCertificate = text; break;
            case "sslmode": (builder.SslMode, address.AnyCertificate) = (Word(name, value, SslModes), value.Equals("no-verify", StringComparison.OrdinalIgnoreCase)); break;
            // Prisma verifies with it what sslmode=require does not.
            case "sslaccept" when Word(name, value, SslAccepts): address.SystemCertificates = builder.RootCertificate is null; break;
            case "sslaccept": break;
            case "sslnegotiation": builder.SslNegotiation = Word(name, value, SslNegotiations); break;
            case "gssencmode": builder.GssEncryptionMode = Word(name, value, GssModes); break;
            case "channel_binding": builder.ChannelBinding = Word(name, value, ChannelBindings); break;
            case "load_balance_hosts": builder.LoadBalanceHosts = Word(name, value, LoadBalancing); break;
            case "connect_timeout": builder.Timeout = Whole(name, value, 0, 1024); break;
            case "keepalives": builder.TcpKeepAlive = Whole(name, value, 0, 1) == 1; break;
            case "keepalives_idle": builder.TcpKeepAliveTime = Whole(name, value, 0, KeepAliveMost); break;
            case "keepalives_interval": builder.TcpKeepAliveInterval = Whole(name, value, 0, KeepAliveMost); break;
            case "client_encoding" when value.ToUpperInvariant() is "UTF8" or "UTF-8" or "AUTO" or "UNICODE": break;
            case "pgbouncer": address.BehindPooler = Word(name, value, Flags); break;
            // Their users turn it off for a pooler in transaction mode; more than none is the driver's own affair.
            case "statement_cache_size": NoCache(address, Whole(name, value, 0, int.MaxValue) == 0); break;
            case "prepared_statements": NoCache(address, !Word(name, value, Flags)); break;
            case "connection_limit": builder.MaxPoolSize = Whole(name, value, 1, 1000); break;
            case "pool_min_conns": builder.MinPoolSize = Whole(name, value, 0, 1000); break;
            // 0 means to wait without end there; nobody waits longer than a minute here.
            case "pool_timeout": address.PoolTimeout = Whole(name, value, 0, int.MaxValue) is > 0 and <= 60 and var seconds ? seconds : 60; break;
            // Npgsql refuses it with a single host.
            case "target_session_attrs" when hosts == 1: SessionOfOneHost(value); break;
            case "target_session_attrs":
                builder.TargetSessionAttributes = SessionAttributes.Contains(value, StringComparer.Ordinal) ? value
                    : throw new FormatException($"target_session_attrs must be one of: {string.Join(", ", SessionAttributes)}.");
                break;
            default:
                if (!Harmless.Contains(name))
                {
                    // A mistyped name may be a piece of a password that held an unescaped ?, and is not repeated.
                    throw new FormatException(NeverLeftOut.Contains(name)
                        ? $"the parameter {name} has no counterpart here, and leaving it out would change where the connection leads or how safe it is; remove it."
                        : "a parameter after the ? is not one that is known here; check its spelling"
                            + (Nearest.Likely(name, Known.Order(StringComparer.Ordinal)) is { } near ? $": is {near} meant?" : "."));
                }

                address.Ignored.Add(name);
                break;
        }
    }

    /// <summary>The name by which a parameter is known here: other drivers have their own spellings.</summary>
    public static string Canonical(string name) => Aliases.GetValueOrDefault(name, name);

    /// <summary>Judges what a session should be where there is one host to choose from. What the server is, readiness finds out.</summary>
    /// <exception cref="FormatException">It is unknown, or asks for a server that takes no writes.</exception>
    public static void SessionOfOneHost(string value)
    {
        if (value is not ("any" or "read-write" or "readwrite" or "primary" or "prefer-primary" or "preferprimary" or "prefer-standby" or "preferstandby"))
        {
            throw new FormatException("with one host, target_session_attrs must be one of: any, read-write, primary, prefer-standby; the Catalog writes, and needs a server that takes writes.");
        }
    }

    private static void NoCache(PostgresAddress address, bool none)
    {
        if (none)
        {
            address.BehindPooler ??= true;
        }
    }

    private static readonly string[] Known =
    [
        "host", "port", "user", "password", "dbname", "application_name", "fallback_application_name", "options", "schema", "passfile", "krbsrvname", "ssl", "sslmode",
        "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslnegotiation", "sslaccept", "require_auth", "gssencmode", "channel_binding", "load_balance_hosts",
        "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "client_encoding", "pgbouncer", "statement_cache_size", "prepared_statements",
        "connection_limit", "pool_timeout", "target_session_attrs",
    ];

    // asyncpg and SQLAlchemy, Prisma, node-postgres, Java, Go, Rails and Rust.
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["currentSchema"] = "schema",
        ["search_path"] = "schema",
        ["searchpath"] = "schema",
        ["ApplicationName"] = "application_name",
        ["database"] = "dbname",
        ["username"] = "user",
        ["sslMode"] = "sslmode",
        ["sslRootCert"] = "sslrootcert",
        ["sslCert"] = "sslcert",
        ["sslKey"] = "sslkey",
        ["sslPassword"] = "sslpassword",
        ["channelBinding"] = "channel_binding",
        ["connectTimeout"] = "connect_timeout",
        ["loginTimeout"] = "connect_timeout",
        ["encoding"] = "client_encoding",
        ["charset"] = "client_encoding",
        ["prepared_statement_cache_size"] = "statement_cache_size",
        ["statement_cache_capacity"] = "statement_cache_size",
        ["statement-cache-capacity"] = "statement_cache_size",
        ["prepareThreshold"] = "statement_cache_size",
        ["pool_size"] = "connection_limit",
        ["pool_max_conns"] = "connection_limit",
        ["max_connections"] = "connection_limit",
        ["pool"] = "connection_limit",
    };

    // Each is a wish that other settings meet, that this driver meets anyway, or that only makes something slower or less watched.
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        // libpq.
        "tcp_user_timeout", "keepalives_count", "sslcompression", "sslsni", "sslcertmode", "sslkeylogfile", "gsslib", "gssdelegation",
        "min_protocol_version", "max_protocol_version",
        // Limits, which the service has of its own.
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "query_timeout", "command_timeout", "socket_timeout", "socketTimeout", "timeout",
        "pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period", "pool_max_conn_lifetime_jitter", "max_connection_lifetime",
        "max_idle_connection_lifetime", "max_inactive_connection_lifetime", "max_cached_statement_lifetime", "max_cacheable_statement_size", "max_overflow", "pool_recycle",
        "pool_pre_ping", "pool_min_conns_idle", "checkout_timeout", "idle_timeout", "reaping_frequency", "conn_max_age", "conn_health_checks", "default_query_exec_mode",
        "prepared_statement_name_func", "statement_cache_mode", "description_cache_capacity", "async_fallback", "directConnection",
        // Marks of providers, and drivers' own ways.
        "supa", "workaround", "uselibpqcompat", "tcpKeepAlive", "reWriteBatchedInserts", "binaryTransfer", "stringtype", "advisory_locks", "single_use_connections",
    };

    // A certificate that was revoked, a peer that nobody asked after, another server.
    private static readonly HashSet<string> NeverLeftOut = new(StringComparer.Ordinal)
    {
        "hostaddr", "service", "servicefile", "replication", "client_encoding", "sslcrl", "sslcrldir", "requirepeer", "ssl_min_protocol_version",
        "ssl_max_protocol_version", "scram_client_key", "scram_server_key", "oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope",
        "targetServerType", "sslfactory", "sslhostnameverifier", "socketFactory", "role", "session_authorization", "sslidentity",
    };

    // What Linux takes; the driver would find out at the first connection only.
    private const int KeepAliveMost = 32767;

    private static readonly string[] SessionAttributes = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

    private static readonly Dictionary<string, SslMode> SslModes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["disable"] = SslMode.Disable,
        ["allow"] = SslMode.Allow,
        ["prefer"] = SslMode.Prefer,
        ["require"] = SslMode.Require,
        ["no-verify"] = SslMode.Require,
        ["verify-ca"] = SslMode.VerifyCA,
        ["verify-full"] = SslMode.VerifyFull,
    };

    private static readonly Dictionary<string, SslNegotiation> SslNegotiations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["postgres"] = SslNegotiation.Postgres,
        ["direct"] = SslNegotiation.Direct,
    };

    private static readonly Dictionary<string, GssEncryptionMode> GssModes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["disable"] = GssEncryptionMode.Disable,
        ["prefer"] = GssEncryptionMode.Prefer,
        ["require"] = GssEncryptionMode.Require,
    };

    private static readonly Dictionary<string, ChannelBinding> ChannelBindings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["disable"] = ChannelBinding.Disable,
        ["prefer"] = ChannelBinding.Prefer,
        ["require"] = ChannelBinding.Require,
    };

    // Npgsql knows them only by the names of its enumeration.
    private static readonly Dictionary<string, string> AuthenticationMethods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["password"] = "Password",
        ["md5"] = "MD5",
        ["gss"] = "GSS",
        ["sspi"] = "SSPI",
        ["scram-sha-256"] = "ScramSHA256",
        ["none"] = "None",
    };

    private static readonly Dictionary<string, bool> LoadBalancing = new(StringComparer.OrdinalIgnoreCase) { ["disable"] = false, ["random"] = true };

    private static readonly Dictionary<string, bool> SslAccepts = new(StringComparer.OrdinalIgnoreCase) { ["strict"] = true, ["accept_invalid_certs"] = false };

    private static readonly Dictionary<string, bool> Flags = new(StringComparer.OrdinalIgnoreCase) { ["true"] = true, ["false"] = false, ["1"] = true, ["0"] = false };

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
