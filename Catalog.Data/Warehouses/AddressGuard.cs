using System.Net;
using System.Net.Sockets;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Judges where a warehouse may be. A name is resolved once, every address of it is judged, and the connection goes to the judged
/// address: a name that changes its mind in between reaches nothing (OWASP, server-side request forgery).
/// </summary>
/// <param name="allowPrivate">Whether loopback, private and carrier addresses may be reached: yes for an installation that serves its own people.</param>
public sealed class AddressGuard(bool allowPrivate)
{
    // RFC 6890 and its registries. Link-local holds the metadata service of every cloud.
    private static readonly IPNetwork[] Never = [.. new[]
    {
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "64:ff9b:1::/48", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32",
        // Metadata services that lie outside link-local: AWS by IPv6, Alibaba, Azure.
        "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32",
    }.Select(IPNetwork.Parse)];

    private static readonly IPNetwork[] Private = [.. new[]
    {
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "::1/128", "fc00::/7",
    }.Select(IPNetwork.Parse)];

    /// <summary>The addresses to connect to.</summary>
    /// <returns>The host's addresses when all of them may be reached; none when one may not, or none was found.</returns>
    public async Task<(IReadOnlyList<IPAddress> Addresses, bool Refused)> Resolve(string host, CancellationToken ct)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct);
        }
        // The resolver refuses some names before it asks anybody.
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            return ([], false);
        }

        return addresses.All(Allows) ? (addresses, false) : ([], true);
    }

    /// <summary>Whether an address may be reached.</summary>
    public bool Allows(IPAddress address)
    {
        var judged = Inner(address);
        return !Array.Exists(Never, network => network.Contains(judged)) && (allowPrivate || !Array.Exists(Private, network => network.Contains(judged)));
    }

    // IPv4 inside IPv6: mapped, compatible, translated, NAT64 and 6to4.
    private static IPAddress Inner(IPAddress address)
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
