using System.Net;
using System.Net.Sockets;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Decides which network addresses the service may connect to (OWASP, server-side request forgery). A host name is
/// resolved once, every address is checked, and the connection goes to a checked address. A name that resolves
/// differently later (DNS rebinding) is therefore harmless.
/// </summary>
/// <param name="allowPrivate">
/// Whether loopback, private and carrier-grade NAT addresses are allowed, as in an installation inside a company.
/// </param>
public sealed class AddressGuard(bool allowPrivate)
{
    // The networks of RFC 6890 and its registries. The link-local range contains the metadata services of most clouds.
    private static readonly IPNetwork[] AlwaysBlocked = [.. new[]
    {
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "64:ff9b:1::/48", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32",
        // Metadata services outside the link-local range: AWS by IPv6, Alibaba, Azure.
        "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32",
    }.Select(IPNetwork.Parse)];

    private static readonly IPNetwork[] PrivateNetworks = [.. new[]
    {
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "::1/128", "fc00::/7",
    }.Select(IPNetwork.Parse)];

    /// <summary>Resolves a host name or address.</summary>
    /// <returns>
    /// All addresses of the host, if all are allowed. Otherwise no addresses: <c>Refused</c> is true when an address is
    /// not allowed, and false when the host cannot be resolved.
    /// </returns>
    public async Task<(IReadOnlyList<IPAddress> Addresses, bool Refused)> Resolve(string host, CancellationToken ct)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct);
        }
        // The resolver throws ArgumentException for some invalid names.
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            return ([], false);
        }

        return addresses.All(Allows) ? (addresses, false) : ([], true);
    }

    /// <summary>Whether the service may connect to an address.</summary>
    public bool Allows(IPAddress address)
    {
        var effective = EmbeddedIPv4(address);
        return !Array.Exists(AlwaysBlocked, network => network.Contains(effective))
            && (allowPrivate || !Array.Exists(PrivateNetworks, network => network.Contains(effective)));
    }

    // The IPv4 address inside an IPv6 address: mapped, compatible, translated, NAT64 and 6to4. Other addresses are
    // returned unchanged.
    private static IPAddress EmbeddedIPv4(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        return address.Equals(IPAddress.IPv6Loopback) || address.Equals(IPAddress.IPv6Any) ? address
            : address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
            : bytes.AsSpan(0, 12).IndexOfAnyExcept((byte)0) < 0 ? new IPAddress(bytes.AsSpan(12))
            : bytes.AsSpan().StartsWith((byte[])[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0]) ? new IPAddress(bytes.AsSpan(12))
            : bytes.AsSpan().StartsWith((byte[])[0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) ? new IPAddress(bytes.AsSpan(12))
            : bytes.AsSpan().StartsWith((byte[])[0x20, 0x02]) ? new IPAddress(bytes.AsSpan(2, 4))
            : address;
    }
}
