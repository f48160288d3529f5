using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Catalog.Data.Settings;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Decides which hosts and ports warehouses may have. It checks the name of the host and resolves it. Then it checks
/// the name that the resolver returned, and every address. A driver gets the checked addresses and never resolves a
/// name itself.
/// </summary>
/// <param name="allowPrivate">Whether private addresses and local names are allowed.</param>
public sealed class DestinationGuard(bool allowPrivate)
{
    // The names of metadata services. Their known addresses are blocked too, but a resolver can return other addresses.
    private static readonly string[] MetadataNames =
    [
        "metadata.google.internal", "metadata.goog", "metadata.azure.internal", "metadata.azure.com", "metadata.packet.net",
        "metadata.platformequinix.com", "metadata.tencentyun.com", "instance-data.ec2.internal", "instance-data", "metadata",
        "169.254.169.254.nip.io",
    ];

    // The last parts of names that only a local network, a machine or a cluster resolves.
    private static readonly string[] LocalSuffixes =
    [
        "internal", "local", "localhost", "localdomain", "svc", "cluster", "lan", "intranet", "private", "corp", "home", "home.arpa",
        "consul", "onion", "docker", "test", "in-addr.arpa", "ip6.arpa",
    ];

    private readonly AddressGuard _addresses = new(allowPrivate);

    /// <summary>Whether private addresses and local names are allowed.</summary>
    public bool AllowsPrivate => allowPrivate;

    /// <summary>Validates the form of a host, independent of what this installation allows.</summary>
    /// <exception cref="SettingException">The host is neither an IP address nor a host name.</exception>
    public static void ValidateHost(string field, string host)
    {
        if (!HostName.IsPossible(host))
        {
            throw new SettingException(
                $"{field}: the host must be an IP address, or a host name of at most 253 characters with 1 to 63 characters between "
                    + "the dots.");
        }
    }

    /// <summary>Checks a host and a port, and resolves the host.</summary>
    /// <param name="host">A host name or an IP address.</param>
    /// <param name="port">The port to connect to.</param>
    /// <param name="usualPorts">The ports that this type of database usually has.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>All addresses of the host; at least one.</returns>
    /// <exception cref="WarehouseException">
    /// The host or the port is not allowed, or the name cannot be resolved.
    /// </exception>
    public async Task<IReadOnlyList<IPAddress>> Resolve(string host, int port, int[] usualPorts, CancellationToken ct)
    {
        if (RefusePort(port, usualPorts) is not null || Refuse(host) is not null)
        {
            throw WarehouseMessages.RefusedAddress();
        }

        if (IPAddress.TryParse(Ascii(host), out var literal))
        {
            return [literal];
        }

        IPHostEntry entry;
        try
        {
            entry = await Dns.GetHostEntryAsync(host, ct);
        }
        // The resolver throws ArgumentException for some invalid names.
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            throw WarehouseMessages.Unreachable();
        }

        return Refuse(entry.HostName) is not null || Array.Exists(entry.AddressList, address => RefuseAddress(address) is not null)
            ? throw WarehouseMessages.RefusedAddress()
            : entry.AddressList.Length > 0 ? entry.AddressList : throw WarehouseMessages.Unreachable();
    }

    /// <summary>
    /// Resolves a host and tries its addresses one after the other until one connects. This machine may be unable to
    /// reach some of them, for example IPv6 addresses.
    /// </summary>
    /// <param name="host">A host name or an IP address.</param>
    /// <param name="port">The port to connect to.</param>
    /// <param name="usualPorts">The ports that this type of database usually has.</param>
    /// <param name="connect">Connects to one address.</param>
    /// <param name="isUnreachable">Whether the next address is tried after an exception.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <exception cref="WarehouseException">
    /// The host or the port is not allowed, or the name cannot be resolved.
    /// </exception>
    internal async Task<T> Connect<T>(
        string host, int port, int[] usualPorts, Func<IPAddress, Task<T>> connect, Func<Exception, bool> isUnreachable,
        CancellationToken ct)
    {
        var addresses = await Resolve(host, port, usualPorts, ct);
        for (var i = 0; ; i++)
        {
            try
            {
                return await connect(addresses[i]);
            }
            catch (Exception exception) when (i + 1 < addresses.Count && !ct.IsCancellationRequested && isUnreachable(exception))
            {
            }
        }
    }

    /// <summary>Why a port is not allowed; null when it is allowed.</summary>
    /// <remarks>Unusual ports below 1024 belong to other services, such as SSH, mail and HTTP.</remarks>
    public string? RefusePort(int port, int[] usualPorts) => port is < 1 or > 65535 ? "is no port"
        : allowPrivate || port >= 1024 || usualPorts.Contains(port) ? null
        : "is a port of another service";

    /// <summary>
    /// Why a host name or address is not allowed; null when its text is allowed. A name is not resolved here, so its
    /// addresses are not checked.
    /// </summary>
    public string? Refuse(string host)
    {
        var name = Ascii(host);
        return name is null ? "is no host name"
            : IPAddress.TryParse(name, out var address) ? RefuseAddress(address)
            : MetadataNames.Contains(name, StringComparer.Ordinal) ? "is a metadata service"
            : allowPrivate ? null
            : !name.Contains('.', StringComparison.Ordinal) ? "is a name without a domain"
            : Array.Exists(LocalSuffixes, suffix => name.EndsWith('.' + suffix, StringComparison.Ordinal)) ? "is a local name"
            : name.Split('.')[^1].All(char.IsAsciiDigit) || name.Split('.')[^1].StartsWith("0x", StringComparison.Ordinal)
            ? "looks like an address"
            : null;
    }

    private string? RefuseAddress(IPAddress address) => _addresses.Allows(address) ? null : "is an address that is not public";

    // The host as a resolver reads it: full-width digits and dots become ASCII, and a dot at the end has no effect.
    // Null when it is not a host name.
    private static string? Ascii(string host)
    {
        if (IPAddress.TryParse(host, out _))
        {
            return host;
        }

        try
        {
            var name = new IdnMapping().GetAscii(host.TrimEnd('.')).ToLowerInvariant();
            return name.Length == 0 ? null : name;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
