using System.Globalization;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Reads the hosts and ports of a <c>postgresql://</c> address as libpq does, and converts them for Npgsql.
/// </summary>
internal static class PostgresUriHosts
{
    /// <summary>Whether Npgsql would read a part of this host as its port and ignore the separate port.</summary>
    public static bool ContainsPort(string host) =>
        !IsSocket(host) && (host.Count(character => character == ':') == 1 || host.Contains("]:", StringComparison.Ordinal));

    /// <summary>
    /// Reads <c>host:port,host:port</c> into the parameters host and port, and returns the rest of the text.
    /// </summary>
    /// <exception cref="FormatException">The brackets of an IPv6 address are invalid.</exception>
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
                    throw new FormatException("an IPv6 address must be in brackets and not be empty, as in [::1].");
                }

                hosts.Add(text[1..end]);
                text = text[(end + 1)..];
                if (text.Length > 0 && text[0] is not (':' or '/' or '?' or ','))
                {
                    throw new FormatException("only a port, a comma, a database or parameters may follow the bracket of an IPv6 address.");
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

        // As in libpq, the text is decoded after joining, so an encoded comma separates hosts too.
        foreach (var (name, list) in new[] { ("host", hosts), ("port", ports) })
        {
            if (string.Join(',', list) is { Length: > 0 } joined)
            {
                parameters[name] = PostgresUri.Decode(joined);
            }
        }

        return text;
    }

    /// <summary>Sets host and port. Empty values get the default.</summary>
    /// <exception cref="FormatException">
    /// A port is invalid, or the number of ports is neither one nor the number of hosts.
    /// </exception>
    public static void Set(NpgsqlConnectionStringBuilder builder, string[] hosts, string[] ports)
    {
        if (ports.Length != 1 && ports.Length != hosts.Length)
        {
            throw new FormatException("give one port, or one for each host.");
        }

        // The default is that of libpq: the local socket or, without a socket directory, localhost.
        var defaultHost = Directory.Exists("/var/run/postgresql") ? "/var/run/postgresql" : "localhost";
        hosts = [.. hosts.Select(host => host.Length == 0 ? defaultHost : host)];
        if (hosts.Any(ContainsPort))
        {
            throw new FormatException(
                "a host contains a colon that is not part of an IPv6 address; set the ports in the parameter port, one for each host.");
        }

        // For such a name, name resolution throws an exception that is not recognized as a connection failure.
        if (hosts.Any(host => !IsSocket(host) && (host.Length > 255 || host.Contains("..", StringComparison.Ordinal)
            || host.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter)))))
        {
            throw new FormatException(
                "a host name is invalid: it is longer than 255 characters, or contains two dots in a row or a blank.");
        }

        var numbers = ports.Select(port => port.Length == 0 ? 5432 : Port(port)).ToArray();
        if (hosts.Length == 1)
        {
            (builder.Host, builder.Port) = (hosts[0], numbers[0]);
            return;
        }

        if (hosts.Any(host => IsSocket(host) && host.Contains(':', StringComparison.Ordinal)))
        {
            throw new FormatException(
                "with several hosts, a socket path must not contain a colon; choose another directory for the socket.");
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
            : throw new FormatException("a port must be a number from 1 to 65535. Percent-encode : / @ ? and # in a password.");
}
