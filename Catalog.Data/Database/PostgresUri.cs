using System.Globalization;
using System.Text;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Reads <c>postgresql://</c> addresses by the rules of libpq (PostgreSQL manual, "Connection URIs"); Npgsql reads only its own
/// key=value form. No message holds any part of the address but parameter names, so a broken address cannot leak its password.
/// </summary>
public static class PostgresUri
{
    private static readonly string[] Schemes =
    [
        "postgresql://", "postgres://", "postgresql+asyncpg://", "postgresql+psycopg2://", "postgresql+psycopg://", "postgresql+pg8000://",
    ];

    /// <summary>Whether <paramref name="value"/> begins like an address that <see cref="Parse"/> reads.</summary>
    public static bool Matches(string value) => Schemes.Any(scheme => value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the address.</summary>
    /// <param name="setting">The setting it came from, for messages.</param>
    /// <param name="value">The address.</param>
    /// <exception cref="SettingException">It cannot be read, or names a parameter that has no counterpart here.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string setting, string value)
    {
        var rest = value[Schemes.First(scheme => value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)).Length..];
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            rest = Credentials(rest, parameters);
            rest = Hosts(rest, parameters);
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

            Query(rest, parameters);
            return Build(parameters);
        }
        catch (FormatException problem)
        {
            throw new SettingException($"{setting}: {problem.Message}");
        }
    }

    private static string Credentials(string text, Dictionary<string, string> parameters)
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

    private static string Hosts(string text, Dictionary<string, string> parameters)
    {
        List<string> hosts = [], ports = [];
        while (true)
        {
            int end;
            if (text.StartsWith('['))
            {
                end = text.IndexOf(']', StringComparison.Ordinal);
                if (end < 2)
                {
                    throw new FormatException("an IPv6 address must stand in brackets and not be empty, as in [::1].");
                }

                hosts.Add(Decode(text[..(end + 1)]));
                text = text[(end + 1)..];
                if (text.Length > 0 && text[0] is not (':' or '/' or '?' or ','))
                {
                    throw new FormatException("after the bracket of an IPv6 address only a port, a comma, a database or parameters may follow.");
                }
            }
            else
            {
                end = text.IndexOfAny([':', '/', '?', ',']) is >= 0 and var at ? at : text.Length;
                hosts.Add(Decode(text[..end]));
                text = text[end..];
            }

            var port = "";
            if (text.StartsWith(':'))
            {
                end = text.IndexOfAny(['/', '?', ',']) is >= 0 and var at ? at : text.Length;
                port = Decode(text[1..end]);
                text = text[end..];
            }

            ports.Add(port);
            if (!text.StartsWith(','))
            {
                break;
            }

            text = text[1..];
        }

        if (hosts.Any(host => host.Length > 0))
        {
            parameters["host"] = string.Join(',', hosts);
        }

        if (ports.Any(port => port.Length > 0))
        {
            parameters["port"] = string.Join(',', ports);
        }

        return text;
    }

    private static void Query(string text, Dictionary<string, string> parameters)
    {
        if (text.Length <= 1)
        {
            return;
        }

        foreach (var pair in text[1..].Split('&'))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw new FormatException("each parameter after the ? must be written name=value.");
            }

            if (pair.IndexOf('=', equals + 1) >= 0)
            {
                throw new FormatException("a parameter after the ? holds a second =; write it as %3D.");
            }

            var name = Decode(pair[..equals]);
            var value = Decode(pair[(equals + 1)..]);
            if (name == "ssl")
            {
                (name, value) = ("sslmode", value == "true" ? "require" : value);
            }

            parameters[name] = value;
        }
    }

    private static NpgsqlConnectionStringBuilder Build(Dictionary<string, string> parameters)
    {
        var builder = new NpgsqlConnectionStringBuilder();
        var hosts = (parameters.Remove("host", out var host) ? host : "").Split(',');
        var ports = (parameters.Remove("port", out var port) ? port : "").Split(',');
        if (ports.Length != 1 && ports.Length != hosts.Length)
        {
            throw new FormatException("give one port, or as many as there are hosts.");
        }

        SetHosts(builder, hosts, ports.Length == 1 ? [.. hosts.Select(_ => ports[0])] : ports);
        foreach (var (name, value) in parameters)
        {
            PostgresUriParameters.Set(builder, name, value, hosts.Length);
        }

        return builder;
    }

    private static void SetHosts(NpgsqlConnectionStringBuilder builder, string[] hosts, string[] ports)
    {
        var numbers = ports.Select(port => port.Length == 0 ? 5432 : Port(port)).ToArray();
        // libpq's own default is the local socket; it is taken where it exists.
        var defaultHost = Directory.Exists("/var/run/postgresql") ? "/var/run/postgresql" : "localhost";
        hosts = [.. hosts.Select(host => host.Length == 0 ? defaultHost : host)];
        if (hosts.Length == 1)
        {
            builder.Host = hosts[0].Trim('[', ']');
            builder.Port = numbers[0];
            return;
        }

        builder.Host = string.Join(',', hosts.Zip(numbers, (host, number) => $"{(IsBareIpv6(host) ? $"[{host}]" : host)}:{number}"));
    }

    private static bool IsBareIpv6(string host) => !host.StartsWith('[') && !host.StartsWith('/') && host.Contains(':', StringComparison.Ordinal);

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535
            ? port
            : throw new FormatException("a port must be a number from 1 to 65535. A password that holds : / @ ? or # must be percent-encoded.");

    private static string Decode(string text)
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
            else if (i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && value != 0)
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                throw new FormatException("a % must be followed by two hexadecimal digits other than 00; write a % itself as %25.");
            }
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException("the percent-encoded bytes are not UTF-8.");
        }
    }
}
