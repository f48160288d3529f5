using System.Net;
using Catalog.Data.Warehouses;

namespace Catalog.Tests.Warehouses;

/// <summary>Which hosts and ports are refused where strangers register connections, each with its reason.</summary>
[Trait("Category", "Fast")]
public sealed class DestinationGuardTests
{
    private static readonly int[] Usual = [5432];

    private static readonly (string Reason, string[] Hosts)[] Refused =
    [
        ("is an address that is not public",
        [
            "127.0.0.1", "127.0.0.53", "127.1", "127.255.255.254", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1",
            "0", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "10.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
            "192.168.255.255", "100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.170.2", "169.254.0.1", "0xa9fea9fe",
            "2852039166", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.19.255.255",
            "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
            "::", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
            "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1", "::ffff:0:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
            "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "fe80::1", "fe80::1%1",
            "febf::1", "fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fdff::1", "ff02::1", "ff0e::1", "2001:db8::1",
        ]),
        ("is a metadata service",
        [
            "metadata.google.internal", "METADATA.GOOGLE.INTERNAL", "metadata.google.internal.", "metadata", "metadata.goog",
            "metadata.azure.internal", "metadata.azure.com", "instance-data", "instance-data.ec2.internal", "metadata.packet.net",
            "metadata.platformequinix.com", "metadata.tencentyun.com", "169.254.169.254.nip.io",
        ]),
        ("is a name without a domain",
        [
            "localhost", "LOCALHOST", "localhost.", "kubernetes", "postgres", "db", "redis", "intranet", "ip6-localhost", "wpad", "vault",
        ]),
        ("is a local name",
        [
            "kubernetes.default.svc", "postgres.prod.svc", "postgres.prod.svc.", "vault.vault.svc.cluster.local", "db.svc.cluster",
            "db.corp.internal", "host.docker.internal", "gateway.docker.internal", "host.containers.internal", "printer.local",
            "a.localhost", "x.y.localhost", "db.localdomain", "localhost.localdomain", "nas.lan", "wiki.intranet", "db.private",
            "db.corp", "router.home", "router.home.arpa", "db.service.consul", "abc.onion", "registry.docker", "db.test",
            "1.0.0.127.in-addr.arpa", "DB.INTERNAL", "ip-10-0-0-1.ec2.internal",
        ]),
        ("looks like an address", ["1.2.3.4.5", "300.1.1.1", "1.2.3.256", "db.123", "a.0x7f"]),
        ("is no host name", ["", ".", "..", "a..b", new string('a', 64) + ".example.org"]),
    ];

    private static readonly string[] Allowed =
    [
        "db.example.org", "db.example.org.", "warehouse.eu-central-1.rds.amazonaws.com", "bücher.example.org", "8.8.8.8", "2606:4700::1111",
        "local.example.org", "internal.example.org", "svc.example.org", "metadata.example.org", "localhost.example.org", "x1.example.org",
    ];

    public static TheoryData<string, string> RefusedHosts =>
        [.. Refused.SelectMany(group => group.Hosts.Select(host => (host, group.Reason)))];

    public static TheoryData<string> AllowedHosts => [.. Allowed];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RefusedHosts))]
    public async Task A_host_is_refused_with_its_reason(string host, string reason)
    {
        var guard = new DestinationGuard(allowPrivate: false);

        Assert.Equal(reason, guard.Refuse(host));
        // The caller learns nothing of the reason.
        var problem = await Assert.ThrowsAsync<WarehouseException>(() => guard.Resolve(host, 5432, Usual, Ct));
        Assert.Equal(WarehouseProblem.Refused, problem.Problem);
        Assert.DoesNotContain(reason, problem.Message);
    }

    [Fact]
    public void More_than_a_hundred_hosts_are_tested() => Assert.True(RefusedHosts.Count > 100);

    [Theory]
    [MemberData(nameof(AllowedHosts))]
    public void A_public_host_is_allowed(string host) => Assert.Null(new DestinationGuard(allowPrivate: false).Refuse(host));

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.1", true)]
    [InlineData("localhost", true)]
    [InlineData("db", true)]
    [InlineData("db.corp.internal", true)]
    [InlineData("postgres.prod.svc.cluster.local", true)]
    [InlineData("169.254.169.254", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("metadata.google.internal", false)]
    [InlineData("fd00:ec2::254", false)]
    public void Inside_a_company_private_hosts_are_allowed_and_metadata_services_are_not(string host, bool allowed) =>
        Assert.Equal(allowed, new DestinationGuard(allowPrivate: true).Refuse(host) is null);

    [Fact]
    public void Ports_of_other_services_are_refused()
    {
        var guard = new DestinationGuard(allowPrivate: false);
        Assert.All(new[] { 1, 7, 19, 21, 22, 23, 25, 53, 80, 110, 111, 143, 389, 443, 445, 465, 587, 636, 873, 993, 1023, 0, -1, 65536 },
            port => Assert.NotNull(guard.RefusePort(port, Usual)));
        Assert.All(new[] { 1024, 5432, 6543, 65535 }, port => Assert.Null(guard.RefusePort(port, Usual)));
        Assert.Null(guard.RefusePort(443, [8443, 443]));
        Assert.Null(new DestinationGuard(allowPrivate: true).RefusePort(80, Usual));
    }

    [Fact]
    public async Task A_name_is_judged_again_after_it_is_resolved()
    {
        // The name of this machine resolves without a network, to an address or a name that is not public.
        var host = Dns.GetHostName();
        Assert.SkipWhen((await Dns.GetHostAddressesAsync(host, Ct)).Length == 0, "This machine cannot resolve its own name.");
        var problem = await Assert.ThrowsAsync<WarehouseException>(
            () => new DestinationGuard(allowPrivate: false).Resolve(host, 5432, Usual, Ct));
        Assert.Equal(WarehouseProblem.Refused, problem.Problem);
        Assert.NotEmpty(await new DestinationGuard(allowPrivate: true).Resolve("localhost", 22, Usual, Ct));
        Assert.Equal(WarehouseProblem.Unreachable, (await Assert.ThrowsAsync<WarehouseException>(
            () => new DestinationGuard(allowPrivate: true).Resolve("nothing.invalid", 5432, Usual, Ct))).Problem);
    }

    [Theory]
    [InlineData("postgres", "postgresql://u@db.example.org:22/d")]
    [InlineData("postgres", "postgresql://u@db.example.org/d?options=-csearch_path%3Da")]
    [InlineData("postgres", "postgresql://u@127.0.0.1/d")]
    [InlineData("postgres", "postgresql://u@localhost/d")]
    public async Task A_warehouse_of_a_stranger_is_refused(string type, string dsn)
    {
        await using var warehouse = new WarehouseFactory(new(false), new(null), null).Create("acme", new() { Type = type, Dsn = dsn });
        Assert.Equal(WarehouseState.Refused, (await warehouse.Test(Ct)).State);
    }

    [Theory]
    [InlineData("mysql")]
    [InlineData("mariadb")]
    [InlineData("clickhouse")]
    public async Task Every_type_judges_its_host(string type)
    {
        var factory = new WarehouseFactory(new(false), new(null), null);
        foreach (var (host, port) in new (string, int?)[]
        {
            ("127.0.0.1", null), ("localhost", null), ("8.8.8.8", 22), ("a.internal", null),
        })
        {
            await using var warehouse = factory.Create("acme", new() { Type = type, Host = host, Port = port, User = "u" });
            Assert.Equal(WarehouseState.Refused, (await warehouse.Test(Ct)).State);
        }
    }
}
