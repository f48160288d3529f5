using System.Globalization;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Maps connection parameters of libpq and other drivers to Npgsql. A parameter without a counterpart is ignored, with
/// a warning, when that is harmless. It is rejected when it changes the target or the security of the connection.
/// Unknown parameters are rejected.
/// </summary>
internal static class PostgresUriParameters
{
    /// <summary>Sets one parameter.</summary>
    /// <exception cref="FormatException">
    /// The parameter is unknown, must not be ignored, or has an invalid value.
    /// </exception>
    public static void Set(PostgresAddress address, string name, string value, int hosts)
    {
        var builder = address.Connection;
        // libpq treats an empty value as not given.
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
            case "require_auth": builder.RequireAuth = text is null ? null : AuthMethods(text); break;
            case "sslrootcert" when value == "system": address.SystemCertificates = true; break;
            case "sslrootcert": builder.RootCertificate = text; break;
            case "sslmode":
                (builder.SslMode, address.AnyCertificate) = (
                Choice(name, value, SslModes), value.Equals("no-verify", StringComparison.OrdinalIgnoreCase)); break;
            // For Prisma, strict verifies the certificate; sslmode=require alone does not verify it.
            case "sslaccept" when Choice(name, value, SslAccepts): address.SystemCertificates = builder.RootCertificate is null; break;
            case "sslaccept": break;
            case "sslnegotiation": builder.SslNegotiation = Choice(name, value, SslNegotiations); break;
            case "gssencmode": builder.GssEncryptionMode = Choice(name, value, GssModes); break;
            case "channel_binding": builder.ChannelBinding = Choice(name, value, ChannelBindings); break;
            case "load_balance_hosts": builder.LoadBalanceHosts = Choice(name, value, LoadBalancing); break;
            case "connect_timeout": builder.Timeout = Integer(name, value, 0, 1024); break;
            case "keepalives": builder.TcpKeepAlive = Integer(name, value, 0, 1) == 1; break;
            case "keepalives_idle": builder.TcpKeepAliveTime = Integer(name, value, 0, MaxKeepAlive); break;
            case "keepalives_interval": builder.TcpKeepAliveInterval = Integer(name, value, 0, MaxKeepAlive); break;
            case "client_encoding" when value.ToUpperInvariant() is "UTF8" or "UTF-8" or "AUTO" or "UNICODE": break;
            case "pgbouncer": address.BehindPooler = Choice(name, value, Flags); break;
            // The size 0 usually means a pooler in transaction mode. Other sizes are ignored.
            case "statement_cache_size": AssumePooler(address, Integer(name, value, 0, int.MaxValue) == 0); break;
            case "prepared_statements": AssumePooler(address, !Choice(name, value, Flags)); break;
            case "connection_limit": builder.MaxPoolSize = Integer(name, value, 1, 1000); break;
            case "pool_min_conns": builder.MinPoolSize = Integer(name, value, 0, 1000); break;
            // 0 means no limit in other drivers; the limit here is 60 s.
            case "pool_timeout":
                address.PoolTimeout = Integer(name, value, 0, int.MaxValue) is > 0 and <= 60 and var seconds
                ? seconds : 60; break;
            // Npgsql rejects this parameter with a single host.
            case "target_session_attrs" when hosts == 1: ValidateSingleHostSession(value); break;
            case "target_session_attrs":
                builder.TargetSessionAttributes = SessionAttributes.Contains(value, StringComparer.Ordinal) ? value
                    : throw new FormatException($"target_session_attrs must be one of: {string.Join(", ", SessionAttributes)}.");
                break;
            default: Ignore(address, name); break;
        }
    }

    private static void Ignore(PostgresAddress address, string name)
    {
        if (Ignorable.Contains(name))
        {
            address.Ignored.Add(name);
            return;
        }

        // The message does not repeat an unknown name, because it can be part of a password with an unescaped ?.
        throw new FormatException(NeverIgnored.Contains(name)
            ? $"the parameter {name} is not supported, and ignoring it would change the target or the security of the connection; "
                + "remove it."
            : "a parameter after the ? is unknown; check its spelling"
                + (SpellingSuggestion.FindTypo(name, Known.Order(StringComparer.Ordinal)) is { } near ? $"; did you mean {near}?" : "."));
    }

    /// <summary>Translates the parameter names of other drivers.</summary>
    public static string Canonical(string name) => Aliases.GetValueOrDefault(name, name);

    /// <summary>
    /// Validates <c>target_session_attrs</c> for an address with one host. The readiness check tests the server itself.
    /// </summary>
    /// <exception cref="FormatException">The value is unknown, or requires a read-only server.</exception>
    public static void ValidateSingleHostSession(string value)
    {
        if (value is not ("any" or "read-write" or "readwrite" or "primary" or "prefer-primary" or "preferprimary" or "prefer-standby"
            or "preferstandby"))
        {
            throw new FormatException(
                "with one host, target_session_attrs must be one of: any, read-write, primary, prefer-standby; the Catalog needs a "
                    + "server that accepts writes.");
        }
    }

    private static void AssumePooler(PostgresAddress address, bool cacheDisabled)
    {
        if (cacheDisabled)
        {
            address.BehindPooler ??= true;
        }
    }

    private static readonly string[] Known =
    [
        "host", "port", "user", "password", "dbname", "application_name", "fallback_application_name", "options", "schema", "passfile",
        "krbsrvname", "ssl", "sslmode",
        "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslnegotiation", "sslaccept", "require_auth", "gssencmode", "channel_binding",
        "load_balance_hosts",
        "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "client_encoding", "pgbouncer", "statement_cache_size",
        "prepared_statements",
        "connection_limit", "pool_timeout", "target_session_attrs",
    ];

    // Names used by asyncpg, SQLAlchemy, Prisma, node-postgres, Java, Go, Rails and Rust.
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

    // Ignoring these is safe: another setting or the driver covers them, or they affect only speed and monitoring.
    private static readonly HashSet<string> Ignorable = new(StringComparer.Ordinal)
    {
        // libpq.
        "tcp_user_timeout", "keepalives_count", "sslcompression", "sslsni", "sslcertmode", "sslkeylogfile", "gsslib", "gssdelegation",
        "min_protocol_version", "max_protocol_version",
        // Limits; the service sets its own.
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "query_timeout", "command_timeout", "socket_timeout",
        "socketTimeout", "timeout",
        "pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period", "pool_max_conn_lifetime_jitter",
        "max_connection_lifetime",
        "max_idle_connection_lifetime", "max_inactive_connection_lifetime", "max_cached_statement_lifetime", "max_cacheable_statement_size",
        "max_overflow", "pool_recycle",
        "pool_pre_ping", "pool_min_conns_idle", "checkout_timeout", "idle_timeout", "reaping_frequency", "conn_max_age",
        "conn_health_checks", "default_query_exec_mode",
        "prepared_statement_name_func", "statement_cache_mode", "description_cache_capacity", "async_fallback", "directConnection",
        // Provider markers and driver options.
        "supa", "workaround", "uselibpqcompat", "tcpKeepAlive", "reWriteBatchedInserts", "binaryTransfer", "stringtype", "advisory_locks",
        "single_use_connections",
    };

    // Ignoring these could accept a revoked certificate, skip a check of the server, or connect to another server.
    private static readonly HashSet<string> NeverIgnored = new(StringComparer.Ordinal)
    {
        "hostaddr", "service", "servicefile", "replication", "client_encoding", "sslcrl", "sslcrldir", "requirepeer",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version", "scram_client_key", "scram_server_key", "oauth_issuer", "oauth_client_id", "oauth_client_secret",
        "oauth_scope",
        "targetServerType", "sslfactory", "sslhostnameverifier", "socketFactory", "role", "session_authorization", "sslidentity",
    };

    // The maximum on Linux. The driver would report a larger value only at the first connection.
    private const int MaxKeepAlive = 32767;

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

    // Npgsql expects the names of its own enumeration.
    private static readonly Dictionary<string, string> AuthenticationMethods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["password"] = "Password",
        ["md5"] = "MD5",
        ["gss"] = "GSS",
        ["sspi"] = "SSPI",
        ["scram-sha-256"] = "ScramSHA256",
        ["none"] = "None",
    };

    private static readonly Dictionary<string, bool> LoadBalancing = new(StringComparer.OrdinalIgnoreCase)
    {
        ["disable"] = false,
        ["random"] = true
    };

    private static readonly Dictionary<string, bool> SslAccepts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["strict"] = true,
        ["accept_invalid_certs"] = false
    };

    private static readonly Dictionary<string, bool> Flags = new(StringComparer.OrdinalIgnoreCase)
    {
        ["true"] = true,
        ["false"] = false,
        ["1"] = true,
        ["0"] = false
    };

    private static string AuthMethods(string value)
    {
        var methods = value.Split(',');
        var forbidden = methods.Count(method => method.StartsWith('!'));
        return forbidden == 0 || forbidden == methods.Length
            ? string.Join(',', methods.Select(method => method.StartsWith('!') ? $"!{AuthMethod(method[1..])}" : AuthMethod(method)))
            : throw new FormatException("require_auth must list only allowed methods, or only forbidden methods with a ! before each.");
    }

    private static string AuthMethod(string word) => Choice("require_auth", word, AuthenticationMethods);

    private static T Choice<T>(string name, string value, Dictionary<string, T> words) =>
        words.TryGetValue(value, out var found) ? found
            : throw new FormatException($"{name} must be one of: {string.Join(", ", words.Keys)}.");

    private static int Integer(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} must be a whole number from {least} to {most}.");
}
