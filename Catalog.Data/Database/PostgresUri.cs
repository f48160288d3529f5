using System.Globalization;
using System.Text;
using Catalog.Data.Settings;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Reads <c>postgresql://</c> addresses by the rules of libpq (PostgreSQL manual, "Connection URIs"); Npgsql reads only
/// its own key=value form. Error messages contain only parameter names from the address, so an invalid address cannot
/// leak its password.
/// </summary>
public static class PostgresUri
{
    // The list includes the schemes of SQLAlchemy and Java.
    private static readonly string[] Schemes =
    [
        "postgresql://", "postgres://", "postgresql+asyncpg://", "postgresql+psycopg2://", "postgresql+psycopg://", "postgresql+pg8000://",
        "postgresql+psycopg_async://", "postgresql+psycopg2cffi://", "jdbc:postgresql://",
    ];

    /// <summary>Whether <paramref name="value"/> begins with a Postgres scheme.</summary>
    public static bool Matches(string value) => Schemes.Any(scheme => value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the connection of an address.</summary>
    /// <param name="setting">The name of the setting, for error messages.</param>
    /// <param name="value">The address.</param>
    /// <exception cref="SettingException">
    /// The address is invalid, or has a parameter that must not be ignored.
    /// </exception>
    public static NpgsqlConnectionStringBuilder Parse(string setting, string value)
    {
        try
        {
            return Read(value).Connection;
        }
        catch (FormatException problem)
        {
            throw new SettingException($"{setting}: {problem.Message}");
        }
    }

    /// <exception cref="FormatException">
    /// The address is invalid, or has a parameter that must not be ignored.
    /// </exception>
    internal static PostgresAddress Read(string value)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = ReadCredentials(WithoutScheme(value), parameters);
        RejectSecondAt(rest);
        rest = PostgresUriHosts.Read(rest, parameters);
        if (rest.StartsWith('/'))
        {
            var end = rest.IndexOf('?', StringComparison.Ordinal);
            var database = end < 0 ? rest[1..] : rest[1..end];
            rest = end < 0 ? "" : rest[end..];
            if (database.Length > 0)
            {
                parameters["dbname"] = Decode(database);
            }
        }

        ReadParameters(rest, parameters);
        return Build(parameters);
    }

    private static string WithoutScheme(string value)
    {
        // NUL ends a field in the driver's startup packet, so text after it would become another field.
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new FormatException("the address contains a NUL character; remove it.");
        }

        return Schemes.FirstOrDefault(scheme => value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) is { } scheme
            ? value[scheme.Length..]
            : throw new FormatException("the address must begin with postgresql:// or postgres://.");
    }

    // With an unescaped @ or / in a password, libpq reads the rest of the password as host or database, and both are
    // logged. The first character can be an @, because the name of an abstract socket begins with it.
    private static void RejectSecondAt(string text)
    {
        var query = text.IndexOf('?', StringComparison.Ordinal);
        if ((query < 0 ? text : text[..query]).LastIndexOf('@') > 0)
        {
            throw new FormatException("write an @ in the password or the database as %40, and a / in the password as %2F.");
        }
    }

    private static string ReadCredentials(string text, Dictionary<string, string> parameters)
    {
        var end = text.IndexOfAny(['@', '/']);
        if (end < 0 || text[end] != '@')
        {
            return text;
        }

        var colon = text.IndexOf(':', 0, end);
        if ((colon < 0 ? end : colon) is > 0 and var userEnd)
        {
            parameters["user"] = Decode(text[..userEnd]);
        }

        if (colon >= 0 && colon + 1 < end)
        {
            parameters["password"] = Decode(text[(colon + 1)..end]);
        }

        return text[(end + 1)..];
    }

    private static void ReadParameters(string text, Dictionary<string, string> parameters)
    {
        if (text.Length <= 1)
        {
            return;
        }

        // A trailing & is allowed.
        foreach (var pair in (text.EndsWith('&') ? text[1..^1] : text[1..]).Split('&'))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw new FormatException("write each parameter after the ? as name=value.");
            }

            if (pair.IndexOf('=', equals + 1) >= 0)
            {
                throw new FormatException("a parameter after the ? contains a second =; write it as %3D.");
            }

            var (name, value) = (Decode(pair[..equals]), Decode(pair[(equals + 1)..]));
            // libpq translates ssl and requiressl to sslmode before it stores them, so the last of these three
            // parameters wins. For ssl, asyncpg (SQLAlchemy) accepts every value of sslmode; node-postgres also accepts
            // true and false.
            (name, value) = PostgresUriParameters.Canonical(name) switch
            {
                "ssl" => ("sslmode", value.ToLowerInvariant() switch
                {
                    "true" or "1" => "require",
                    "false" or "0" => "disable",
                    _ =>
                    value
                }),
                "requiressl" => ("sslmode", value.StartsWith('1') ? "require" : "prefer"),
                var canonical => (canonical, value),
            };
            parameters[name] = value;
        }
    }

    /// <summary>Builds an address from libpq's parameters.</summary>
    /// <exception cref="FormatException">
    /// A parameter is unknown, must not be ignored, or has an invalid value.
    /// </exception>
    internal static PostgresAddress Build(Dictionary<string, string> parameters)
    {
        var address = new PostgresAddress();
        var hosts = (parameters.Remove("host", out var host) ? host : "").Split(',');
        var ports = (parameters.Remove("port", out var port) ? port : "").Split(',');
        PostgresUriHosts.Set(address.Connection, hosts, ports);
        foreach (var (name, value) in parameters)
        {
            PostgresUriParameters.Set(address, name, value, hosts.Length);
        }

        return address.Reconciled();
    }

    /// <summary>Decodes percent-encoding. A + stays a +.</summary>
    /// <exception cref="FormatException">
    /// The encoding is invalid, or the result contains NUL or invalid UTF-8.
    /// </exception>
    internal static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                var width = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, width)));
                i += width - 1;
            }
            else if (i + 2 < text.Length
                && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
                    && value != 0)
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                throw new FormatException("a % must be followed by two hexadecimal digits other than 00; write a literal % as %25.");
            }
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException(
                "the percent-encoded bytes are not UTF-8; encode each character as UTF-8 first, such as ü as %C3%BC.");
        }
    }
}
