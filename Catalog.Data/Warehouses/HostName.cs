using System.Globalization;
using System.Net;

namespace Catalog.Data.Warehouses;

/// <summary>Judges host names before anybody asks a resolver for them, which throws at what it cannot take.</summary>
internal static class HostName
{
    // RFC 1035 (2.3.4) counts 255 bytes with the lengths of the labels and the root.
    private const int Most = 253;
    private const int MostOfLabel = 63;

    /// <summary>Whether it is an address, or a name that a resolver takes.</summary>
    public static bool IsPossible(string host) => IPAddress.TryParse(host, out _) || IsName(host);

    private static bool IsName(string host)
    {
        if (Uri.CheckHostName(host) != UriHostNameType.Dns || host.Any(char.IsControl))
        {
            return false;
        }

        try
        {
            var name = new IdnMapping().GetAscii(host);
            name = name.EndsWith('.') ? name[..^1] : name;
            return name.Length is > 0 and <= Most && name.Split('.').All(label => label.Length is > 0 and <= MostOfLabel);
        }
        catch (ArgumentException)
        {
            // Empty or too long labels, and letters that no name may have.
            return false;
        }
    }
}
