using Npgsql;

namespace Catalog.Data.Database;

/// <summary>What an address of Postgres says, in whatever form it is written.</summary>
public sealed class PostgresAddress
{
    /// <summary>The connection, with its password. Never to be printed.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; } = new();

    /// <summary>Whether it says that a pooler in transaction mode stands before the server; null: it does not say.</summary>
    public bool? BehindPooler { get; set; }

    /// <summary>Seconds to wait for a connection of the pool; null: it does not say.</summary>
    public int? PoolTimeout { get; set; }

    /// <summary>Whether certificates are held to the system's authorities, which only a check of the host's name makes safe.</summary>
    public bool SystemCertificates { get; set; }

    /// <summary>Whether any certificate is taken, whatever authority is named.</summary>
    public bool AnyCertificate { get; set; }

    /// <summary>The names of parameters that have no counterpart here and are left out.</summary>
    public SortedSet<string> Ignored { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a <c>postgresql://</c> address or the key=value form of Npgsql or libpq.</summary>
    /// <param name="setting">The setting it came from, for messages.</param>
    /// <param name="value">The address.</param>
    /// <exception cref="SettingException">It cannot be read, or names a parameter that must not be left out.</exception>
    public static PostgresAddress Read(string setting, string value)
    {
        try
        {
            return PostgresUri.Matches(value) || !PostgresKeyValues.Matches(value) ? PostgresUri.Read(value) : PostgresKeyValues.Read(value);
        }
        catch (FormatException problem)
        {
            throw new SettingException($"{setting}: {problem.Message}");
        }
    }

    /// <summary>Whether <paramref name="value"/> begins like an address that <see cref="Read"/> reads.</summary>
    public static bool Matches(string value) => PostgresUri.Matches(value) || PostgresKeyValues.Matches(value);

    /// <summary>Applies the rules that hold between parameters, whatever their order.</summary>
    /// <exception cref="FormatException">Two of them contradict each other.</exception>
    internal PostgresAddress Reconciled()
    {
        var builder = Connection;
        if (SystemCertificates)
        {
            // As libpq has it. No file: then the driver asks the system.
            (builder.SslMode, builder.RootCertificate) = (SslMode.VerifyFull, null);
        }
        else if (AnyCertificate)
        {
            builder.RootCertificate = null;
        }
        // With a root certificate libpq verifies the chain at "require" too; Npgsql would accept any certificate.
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

        // Npgsql would say so at the first connection only.
        return builder is { TcpKeepAliveInterval: > 0, TcpKeepAliveTime: 0 }
            ? throw new FormatException("keepalives_interval needs keepalives_idle beside it; add it.")
            : this;
    }
}
