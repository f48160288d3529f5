using System.Text;
using Catalog.Data.Settings;

namespace Catalog.Data.Warehouses;

/// <summary>How the connection to a server is encrypted.</summary>
internal enum ServerTls
{
    /// <summary>Not encrypted.</summary>
    Disable,

    /// <summary>Encrypted if the server supports it. Any certificate is accepted.</summary>
    Prefer,

    /// <summary>Encrypted. Any certificate is accepted.</summary>
    Require,

    /// <summary>Encrypted, with a valid certificate for the host of the connection.</summary>
    VerifyFull,
}

/// <summary>The address of a database server, from the parts of a configuration.</summary>
internal sealed record ServerAddress(string Type, string Host, int Port, string User, string Password, string? Database, ServerTls Tls)
{
    private static readonly Dictionary<string, ServerTls> Words = new(StringComparer.Ordinal)
    {
        ["disable"] = ServerTls.Disable,
        ["prefer"] = ServerTls.Prefer,
        ["require"] = ServerTls.Require,
        ["verify-full"] = ServerTls.VerifyFull,
    };

    /// <summary>The address without the password.</summary>
    public string Display
    {
        get
        {
            var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
            var ssl = Words.First(word => word.Value == Tls).Key;
            return $"{Type}://{Uri.EscapeDataString(User)}{(Password.Length > 0 ? ":***" : "")}@{host}:{Port}/"
                + $"{Uri.EscapeDataString(Database ?? "")}?sslmode={ssl}";
        }
    }

    /// <summary>Reads the parts of a configuration.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="usualPort">
    /// Returns the port for an encryption. It is used when the configuration has no port.
    /// </param>
    /// <param name="usual">The encryption that is used when the configuration does not choose one.</param>
    /// <param name="others">The other encryptions that a configuration of this type can choose.</param>
    /// <exception cref="SettingException">
    /// A part is missing or not valid. The message contains no part of it.
    /// </exception>
    public static ServerAddress Parse(
        WarehouseSettings settings, Func<ServerTls, int> usualPort, ServerTls usual, params ServerTls[] others)
    {
        if (settings.Host is not { Length: > 0 } host)
        {
            throw new SettingException("host: is required.");
        }

        DestinationGuard.ValidateHost("host", host);
        if (settings.User is not { Length: > 0 } user)
        {
            throw new SettingException("user: is required.");
        }

        var allowed = Words.Where(word => word.Value == usual || others.Contains(word.Value)).ToDictionary();
        var tls = settings.SslMode is not { } word ? usual : allowed.TryGetValue(word, out var found) ? found
            : throw new SettingException($"sslmode: must be one of: {string.Join(", ", allowed.Keys)}.");
        return new(settings.Type, host, settings.Port ?? usualPort(tls), user, settings.Password ?? "",
            settings.Database is { Length: > 0 } database ? database : null, tls);
    }

    // Prints only the type, because a record prints all members, including the password.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(Type);
        return true;
    }
}
