using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Reads addresses of Postgres that are pairs of key and value: Npgsql's own (<c>Host=h;Username=ada</c>) and libpq's
/// (<c>host=h user=ada</c>). No message holds a value.
/// </summary>
internal static partial class PostgresKeyValues
{
    // What a connection is made of. The rest is for the service to say, or would put rows into messages.
    private static readonly HashSet<string> Kept = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Port", "Database", "Username", "Password", "Passfile", "SSL Mode", "SSL Negotiation", "SSL Certificate", "SSL Key", "SSL Password",
        "Root Certificate", "Channel Binding", "Require Auth", "Kerberos Service Name", "GSS Encryption Mode", "Application Name", "Options", "Search Path",
        "Timeout", "TCP Keepalive", "TCP Keepalive Time", "TCP Keepalive Interval", "Keepalive", "Load Balance Hosts", "Target Session Attributes",
        "Maximum Pool Size", "Minimum Pool Size", "Max Auto Prepare",
    };

    /// <summary>Whether a text begins with a key of an address of Postgres.</summary>
    public static bool Matches(string value) => Beginning().IsMatch(value);

    /// <exception cref="FormatException">It cannot be read, or names what must not be left out.</exception>
    public static PostgresAddress Read(string value) => Blanks().IsMatch(value) ? ReadLibpq(value) : ReadNpgsql(value);

    private static PostgresAddress ReadNpgsql(string value)
    {
        NpgsqlConnectionStringBuilder given;
        try
        {
            given = new NpgsqlConnectionStringBuilder(value);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or NotSupportedException or OverflowException or InvalidCastException or KeyNotFoundException)
        {
            // The driver's message may repeat a value.
            throw new FormatException("this is not a connection string that the driver reads: write Host=...;Port=5432;Database=...;Username=...;Password=..., "
                + "and a value that holds a ; or a quote in double quotes.");
        }

        if (given.Host is null)
        {
            throw new FormatException("a connection string without Host names no server; add it.");
        }

        var address = new PostgresAddress();
        foreach (string key in given.Keys)
        {
            if (Kept.Contains(key))
            {
                address.Connection[key] = given[key];
            }
            else
            {
                address.Ignored.Add(key);
            }
        }

        if (address.Connection.TargetSessionAttributes is { } wanted && !address.Connection.Host!.Contains(',', StringComparison.Ordinal))
        {
            PostgresUriParameters.SessionOfOneHost(wanted.ToLowerInvariant());
            address.Connection.TargetSessionAttributes = null;
        }

        return address.Reconciled();
    }

    private static PostgresAddress ReadLibpq(string text)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        var at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            if (at == text.Length)
            {
                return PostgresUri.Build(parameters);
            }

            var equals = text.IndexOf('=', at);
            if (equals < 0)
            {
                throw new FormatException("each part must be written name=value, and a value that holds a blank in single quotes.");
            }

            var name = text[at..equals].Trim().ToLowerInvariant();
            at = equals + 1;
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            parameters[name] = Value(text, ref at);
        }
    }

    // PostgreSQL manual, "Keyword/Value Connection Strings".
    private static string Value(string text, ref int at)
    {
        var value = new StringBuilder();
        var quoted = at < text.Length && text[at] == '\'';
        at += quoted ? 1 : 0;
        while (at < text.Length && (quoted ? text[at] != '\'' : !char.IsWhiteSpace(text[at])))
        {
            at += text[at] == '\\' && at + 1 < text.Length ? 1 : 0;
            value.Append(text[at++]);
        }

        if (quoted && at++ >= text.Length)
        {
            throw new FormatException("a value begins with a single quote and does not end with one; write a quote in a value as \\'.");
        }

        return value.ToString();
    }

    [GeneratedRegex(@"^(host|hostaddr|server|port|database|dbname|db|username|user ?name|user ?id|user|uid|password|pwd|passfile|ssl ?mode|application ?name|application_name)\s*=(?!=)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Beginning();

    // One value, then a blank, then another name: a semicolon would stand between in the other form.
    [GeneratedRegex(@"^\w+\s*=\s*('(\\.|[^'\\])*'|[^\s;']*)\s+\w+\s*=", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();
}
