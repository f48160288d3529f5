using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>
/// Reads Postgres addresses in key=value form: Npgsql's (<c>Host=h;Username=ada</c>) and libpq's
/// (<c>host=h user=ada</c>). No error message contains a value.
/// </summary>
internal static partial class PostgresKeyValues
{
    // The keys that an address can set. All other keys are ignored, because the service sets them itself, or because
    // they would put row values into error messages.
    private static readonly HashSet<string> SupportedKeys = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Port", "Database", "Username", "Password", "Passfile", "SSL Mode", "SSL Negotiation", "SSL Certificate", "SSL Key",
        "SSL Password",
        "Root Certificate", "Channel Binding", "Require Auth", "Kerberos Service Name", "GSS Encryption Mode", "Application Name",
        "Options", "Search Path",
        "Timeout", "TCP Keepalive", "TCP Keepalive Time", "TCP Keepalive Interval", "Keepalive", "Load Balance Hosts",
        "Target Session Attributes",
        "Maximum Pool Size", "Minimum Pool Size", "Max Auto Prepare",
    };

    /// <summary>Whether a text begins with a key of a Postgres address.</summary>
    public static bool Matches(string value) => FirstKey().IsMatch(value);

    /// <exception cref="FormatException">
    /// The address is invalid, or has a parameter that must not be ignored.
    /// </exception>
    public static PostgresAddress Read(string value) => LibpqForm().IsMatch(value) ? ReadLibpq(value) : ReadNpgsql(value);

    private static PostgresAddress ReadNpgsql(string value)
    {
        NpgsqlConnectionStringBuilder parsed;
        try
        {
            parsed = new NpgsqlConnectionStringBuilder(value);
        }
        catch (Exception exception) when (
            exception is ArgumentException or FormatException or NotSupportedException or OverflowException or InvalidCastException
                or KeyNotFoundException)
        {
            // The driver's message is not used, because it can contain a value.
            throw new FormatException(
                "this is not a valid connection string: write Host=...;Port=5432;Database=...;Username=...;Password=..., "
                + "with double quotes around a value that contains a ; or a quote.");
        }

        if (parsed.Host is null)
        {
            throw new FormatException("the connection string has no Host; add it.");
        }

        var address = new PostgresAddress();
        foreach (string key in parsed.Keys)
        {
            if (SupportedKeys.Contains(key))
            {
                address.Connection[key] = parsed[key];
            }
            else
            {
                address.Ignored.Add(key);
            }
        }

        if (address.Connection.TargetSessionAttributes is { } wanted && !address.Connection.Host!.Contains(',', StringComparison.Ordinal))
        {
            PostgresUriParameters.ValidateSingleHostSession(wanted.ToLowerInvariant());
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
                throw new FormatException("write each part as name=value, with single quotes around a value that contains a blank.");
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

    // The rules are in the PostgreSQL manual, "Keyword/Value Connection Strings".
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
            throw new FormatException("a value begins with a single quote but does not end with one; write a quote in a value as \\'.");
        }

        return value.ToString();
    }

    [GeneratedRegex(
        @"^(host|hostaddr|server|port|database|dbname|db|username|user ?name|user ?id|user|uid|password|pwd|passfile|ssl ?mode|application ?name|application_name)\s*=(?!=)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FirstKey();

    // In libpq's form, a blank separates a value from the next name. In Npgsql's form, a semicolon separates them.
    [GeneratedRegex(@"^\w+\s*=\s*('(\\.|[^'\\])*'|[^\s;']*)\s+\w+\s*=", RegexOptions.CultureInvariant)]
    private static partial Regex LibpqForm();
}
