using System.Globalization;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>The hosts and ports of a <c>postgresql://</c> address: how libpq reads them and how Npgsql wants them.</summary>
internal static class PostgresUriHosts
{
    /// <summary>Whether Npgsql would take a piece of this host for its port, over the port that stands beside it.</summary>
    public static bool HoldsPort(string host) =>
        !IsSocket(host) && (host.Count(character => character == ':') == 1 || host.Contains("]:", StringComparison.Ordinal));

    /// <summary>Reads <c>host:port,host:port</c> into the parameters host and port, and returns what follows.</summary>
    /// <exception cref="FormatException">An IPv6 address is not well bracketed.</exception>
    public static string Read(string text, Dictionary<string, string> parameters)
    {
        List<string> hosts = [], ports = [];
        while (true)
        {
            if (text.StartsWith('['))
            {
                var end = text.IndexOf(']', StringComparison.Ordinal);
                if (end < 2)
                {
                    throw new FormatException("an IPv6 address must stand in brackets and not be empty, as in [::1].");
                }

                hosts.Add(text[1..end]);
                text = text[(end + 1)..];
                if (text.Length > 0 && text[0] is not (':' or '/' or '?' or ','))
                {
                    throw new FormatException("after the bracket of an IPv6 address only a port, a comma, a database or parameters may follow.");
                }
            }
            else
            {
                (var host, text) = Until(text, ':', '/', '?', ',');
                hosts.Add(host);
            }

            var port = "";
            if (text.StartsWith(':'))
            {
                (port, text) = Until(text[1..], '/', '?', ',');
            }

            ports.Add(port);
            if (!text.StartsWith(','))
            {
                break;
            }

            text = text[1..];
        }

        // Decoded when joined, as in libpq: an encoded comma separates hosts too.
        foreach (var (name, list) in new[] { ("host", hosts), ("port", ports) })
        {
            if (string.Join(',', list) is { Length: > 0 } joined)
            {
                parameters[name] = PostgresUri.Decode(joined);
            }
        }

        return text;
    }

    /// <summary>Sets host and port; an empty one is the default.</summary>
    /// <exception cref="FormatException">A port is not one, or there are neither one nor as many as hosts.</exception>
    public static void Set(NpgsqlConnectionStringBuilder builder, string[] hosts, string[] ports)
    {
        if (ports.Length != 1 && ports.Length != hosts.Length)
        {
            throw new FormatException("give one port, or as many as there are hosts.");
        }

        // libpq's own default is the local socket; it is taken where it exists.
        var defaultHost = Directory.Exists("/var/run/postgresql") ? "/var/run/postgresql" : "localhost";
        hosts = [.. hosts.Select(host => host.Length == 0 ? defaultHost : host)];
        if (hosts.Any(HoldsPort))
        {
            throw new FormatException(
                "a host holds a colon that is not part of an IPv6 address; give ports in the parameter port, one for each host.");
        }

        // Resolvers refuse them with exceptions of their own kind.
        if (hosts.Any(host => !IsSocket(host) && (host.Length > 255 || host.Contains("..", StringComparison.Ordinal) || host.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter)))))
        {
            throw new FormatException("a host is no name that can be looked up: it is longer than 255 characters, or holds two dots in a row or a blank.");
        }

        var numbers = ports.Select(port => port.Length == 0 ? 5432 : Port(port)).ToArray();
        if (hosts.Length == 1)
        {
            (builder.Host, builder.Port) = (hosts[0], numbers[0]);
            return;
        }

        if (hosts.Any(host => IsSocket(host) && host.Contains(':', StringComparison.Ordinal)))
        {
            throw new FormatException("the path of a socket among several hosts must not hold a colon; choose another directory for it.");
        }

        builder.Host = string.Join(',', hosts.Select((host, i) => $"{Bracketed(host)}:{numbers[ports.Length == 1 ? 0 : i]}"));
    }

    private static (string Before, string From) Until(string text, params ReadOnlySpan<char> ends) =>
        text.AsSpan().IndexOfAny(ends) is >= 0 and var at ? (text[..at], text[at..]) : (text, "");

    private static bool IsSocket(string host) => host.StartsWith('/') || host.StartsWith('@');

    private static string Bracketed(string host) =>
        host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host;

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535
            ? port
            : throw new FormatException("a port must be a number from 1 to 65535. A password that holds : / @ ? or # must be percent-encoded.");
}
