using System.Data.Common;
using Catalog.Data.Settings;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// Passes the address of a Postgres database to other programs by environment variables. Arguments would show the
/// password to other users.
/// </summary>
public static class LibpqEnvironment
{
    // libpq before version 16 does not support sslrootcert=system, so it gets the path of one of these files. They
    // contain the system's certificates, which the driver uses when no file is set.
    private static readonly string[] SystemCertificates = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem"];

    /// <summary>
    /// Variables for pg_dump, pg_restore and psql; null removes a variable. They name the exact server of the open
    /// connection, even when the address has several hosts.
    /// </summary>
    /// <exception cref="SettingException">
    /// The address has a parameter that libpq accepts only as an argument.
    /// </exception>
    public static IReadOnlyDictionary<string, string?> EnvironmentVariables(DatabaseSettings settings, DbConnection open)
    {
        var postgres = settings.Postgres!;
        var connection = (NpgsqlConnection)open;
        if (postgres.SslPassword is not null)
        {
            throw new SettingException(
                "The address of the database contains an sslpassword. pg_dump and psql accept it only on the command line, where "
                    + "every user of this machine can read it. Remove it, and use a client key without a password.");
        }

        var variables = new Dictionary<string, string?>
        {
            ["PGHOST"] = Host(connection),
            ["PGPORT"] = $"{connection.Port}",
            ["PGDATABASE"] = connection.Database,
            ["PGSSLMODE"] = Word(postgres.SslMode),
            ["PGGSSENCMODE"] = postgres.GssEncryptionMode.ToString().ToLowerInvariant(),
            ["PGCHANNELBINDING"] = postgres.ChannelBinding.ToString().ToLowerInvariant(),
            ["PGAPPNAME"] = "catalog-backup",
            ["PGCONNECT_TIMEOUT"] = "15",
            // These would override the address.
            ["PGSERVICE"] = null,
            ["PGSERVICEFILE"] = null,
            ["PGHOSTADDR"] = null,
            ["PGTARGETSESSIONATTRS"] = null,
        };
        // Driver and libpq find the values that the address does not set in the same way: in PGUSER, PGPASSWORD,
        // PGPASSFILE, ~/.pgpass and PGSSLROOTCERT.
        foreach (var (name, value) in new[]
        {
            ("PGUSER", postgres.Username), ("PGPASSWORD", postgres.Password), ("PGPASSFILE", postgres.Passfile),
            ("PGOPTIONS", Options(settings, connection)),
            ("PGSSLROOTCERT", RootCertificate(postgres)), ("PGSSLCERT", postgres.SslCertificate), ("PGSSLKEY", postgres.SslKey),
        })
        {
            if (value is not null)
            {
                variables[name] = value;
            }
        }

        return variables;
    }

    /// <summary>
    /// The address of another database on the server of an open connection, with the password. Never print it.
    /// </summary>
    public static string Uri(DatabaseSettings settings, DbConnection open, string database)
    {
        var postgres = settings.Postgres!;
        var connection = (NpgsqlConnection)open;
        static string Escape(string text) => System.Uri.EscapeDataString(text);
        var host = Host(connection);
        var parameters = new[]
        {
            ("schema", settings.Schema == DatabaseSettings.DefaultSchema ? null : settings.Schema),
            ("sslmode", Word(postgres.SslMode)), ("gssencmode", postgres.GssEncryptionMode.ToString().ToLowerInvariant()),
            ("channel_binding", postgres.ChannelBinding.ToString().ToLowerInvariant()), ("sslrootcert", postgres.RootCertificate),
            ("sslcert", postgres.SslCertificate),
            ("sslkey", postgres.SslKey), ("sslpassword", postgres.SslPassword), ("passfile", postgres.Passfile),
            ("options", postgres.Options),
        };
        return $"postgresql://{Escape(postgres.Username ?? "")}{(postgres.Password is { } password ? ':' + Escape(password) : "")}{(postgres.Username is null && postgres.Password is null ? "" : "@")}"
            + $"{(host[0] is not ('/' or '@') && host.Contains(':', StringComparison.Ordinal) ? $"[{Escape(host).Replace("%3A", ":", StringComparison.Ordinal)}]" : Escape(host))}:{connection.Port}/{Escape(database)}?"
            + string.Join('&', parameters.Where(parameter => parameter.Item2 is not null)
                .Select(parameter => $"{parameter.Item1}={Escape(parameter.Item2!)}"));
    }

    // With several hosts, the driver returns an IPv6 address with brackets, but PGHOST must not have brackets.
    private static string Host(NpgsqlConnection connection) =>
        connection.Host is ['[', .. var bare, ']'] && bare.Contains(':', StringComparison.Ordinal) ? bare : connection.Host!;

    // The options of the address come last, so they win. A pooler rejects the options of the session, so they are left
    // out behind a pooler. A pooler reports another process number than the server.
    private static string? Options(DatabaseSettings settings, NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("select pg_backend_pid()", connection);
        return command.ExecuteScalar() is int process && process == connection.ProcessID
            ? $"{new PostgresSession(settings.Schema).Options(connection.PostgreSqlVersion.Major)} {settings.Postgres!.Options}".TrimEnd()
            : settings.Postgres!.Options;
    }

    private static string? RootCertificate(NpgsqlConnectionStringBuilder postgres) => postgres.RootCertificate
        ?? (postgres.SslMode is SslMode.VerifyCA or SslMode.VerifyFull
            && string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable("PGSSLROOTCERT"))
            ? SystemCertificates.FirstOrDefault(File.Exists) : null);

    private static string Word(SslMode mode) => mode switch
    {
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        _ => mode.ToString().ToLowerInvariant(),
    };
}
