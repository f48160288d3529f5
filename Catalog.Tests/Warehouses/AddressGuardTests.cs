using System.Net;
using Catalog.Data.Warehouses;

namespace Catalog.Tests.Warehouses;

[Trait("Category", "Fast")]
public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("8.8.8.8", true, true)]
    [InlineData("2606:4700::1111", true, true)]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("::1", true, false)]
    [InlineData("10.1.2.3", true, false)]
    [InlineData("172.31.255.255", true, false)]
    [InlineData("192.168.0.1", true, false)]
    [InlineData("100.64.0.1", true, false)]
    [InlineData("fd12::1", true, false)]
    [InlineData("::ffff:127.0.0.1", true, false)]
    [InlineData("::127.0.0.1", true, false)]
    [InlineData("64:ff9b::7f00:1", true, false)]
    [InlineData("2002:7f00:1::", true, false)]
    [InlineData("169.254.169.254", false, false)]
    [InlineData("::ffff:169.254.169.254", false, false)]
    [InlineData("::169.254.169.254", false, false)]
    [InlineData("::ffff:0:169.254.169.254", false, false)]
    [InlineData("64:ff9b::a9fe:a9fe", false, false)]
    [InlineData("2002:a9fe:a9fe::", false, false)]
    [InlineData("64:ff9b:1::1", false, false)]
    [InlineData("fd00:ec2::254", false, false)]
    [InlineData("100.100.100.200", false, false)]
    [InlineData("168.63.129.16", false, false)]
    [InlineData("fe80::1", false, false)]
    [InlineData("fec0::1", false, false)]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("::", false, false)]
    [InlineData("224.0.0.1", false, false)]
    [InlineData("255.255.255.255", false, false)]
    public void An_address_is_allowed_or_blocked(string address, bool whenPrivate, bool whenPublic)
    {
        Assert.Equal(whenPrivate, new AddressGuard(allowPrivate: true).Allows(IPAddress.Parse(address)));
        Assert.Equal(whenPublic, new AddressGuard(allowPrivate: false).Allows(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f.1")]
    [InlineData("0177.0.0.1")]
    public async Task Every_spelling_of_loopback_is_blocked(string host)
    {
        var (addresses, refused) = await new AddressGuard(allowPrivate: false).Resolve(host, TestContext.Current.CancellationToken);

        Assert.Empty(addresses);
        Assert.True(refused || host != "localhost");
    }
}
