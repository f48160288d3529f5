using Catalog.Data.Settings;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>A parsed Postgres address, from any of the accepted forms.</summary>
public sealed class PostgresAddress
{
    /// <summary>The connection with its password. Never print it.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; } = new();

    /// <summary>Whether the address declares a pooler in transaction mode; null when it does not say.</summary>
    public bool? BehindPooler { get; set; }

    /// <summary>
    /// The time limit in seconds for getting a connection from the pool; null when the address has none.
    /// </summary>
    public int? PoolTimeout { get; set; }

    /// <summary>
    /// Whether server certificates are verified with the system's certificate authorities. This is safe only with a
    /// host name check.
    /// </summary>
    public bool SystemCertificates { get; set; }

    /// <summary>Whether any server certificate is accepted, even when a root certificate is given.</summary>
    public bool AnyCertificate { get; set; }

    /// <summary>The names of the parameters that are ignored because they are not supported.</summary>
    public SortedSet<string> Ignored { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a <c>postgresql://</c> address or the key=value form of Npgsql or libpq.</summary>
    /// <param name="setting">The name of the setting, for error messages.</param>
    /// <param name="value">The address.</param>
    /// <exception cref="SettingException">
    /// The address is invalid, or has a parameter that must not be ignored.
    /// </exception>
    public static PostgresAddress Read(string setting, string value)
    {
        try
        {
            return PostgresUri.Matches(value) || !PostgresKeyValues.Matches(value)
                ? PostgresUri.Read(value) : PostgresKeyValues.Read(value);
        }
        catch (FormatException problem)
        {
            throw new SettingException($"{setting}: {problem.Message}");
        }
    }

    /// <summary>Whether <paramref name="value"/> begins like a Postgres address.</summary>
    public static bool Matches(string value) => PostgresUri.Matches(value) || PostgresKeyValues.Matches(value);

    /// <summary>
    /// Applies the rules that concern several parameters. The order of the parameters does not matter.
    /// </summary>
    /// <exception cref="FormatException">Two parameters contradict each other.</exception>
    internal PostgresAddress Reconciled()
    {
        var builder = Connection;
        if (SystemCertificates)
        {
            // libpq does the same. Without a file, the driver uses the system's certificates.
            (builder.SslMode, builder.RootCertificate) = (SslMode.VerifyFull, null);
        }
        else if (AnyCertificate)
        {
            builder.RootCertificate = null;
        }
        // With a root certificate, libpq verifies the chain at "require" too, but Npgsql accepts any certificate.
        else if (builder is { SslMode: SslMode.Require, RootCertificate: not null })
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

        // Npgsql would report this mistake only at the first connection.
        return builder is { TcpKeepAliveInterval: > 0, TcpKeepAliveTime: 0 }
            ? throw new FormatException("keepalives_interval needs keepalives_idle; add it.")
            : this;
    }
}
