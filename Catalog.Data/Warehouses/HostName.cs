using System.Globalization;
using System.Net;

namespace Catalog.Data.Warehouses;

/// <summary>Validates host names before they are resolved, because the resolver throws for invalid names.</summary>
internal static class HostName
{
    // RFC 1035 (2.3.4) allows 255 bytes including the length bytes of the labels and the root; 253 characters remain.
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    /// <summary>Whether a text is an IP address, or a name that a resolver accepts.</summary>
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
            return name.Length is > 0 and <= MaxLength && name.Split('.').All(label => label.Length is > 0 and <= MaxLabelLength);
        }
        catch (ArgumentException)
        {
            // A label is empty or too long, or a character is not allowed.
            return false;
        }
    }
}
