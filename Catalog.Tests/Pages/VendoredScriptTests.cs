using System.Security.Cryptography;

namespace Catalog.Tests.Pages;

/// <summary>
/// Files of others that the service sends: each is the published file and has its licence beside it. All scripts are small.
/// </summary>
[Trait("Category", "Fast")]
public sealed class VendoredScriptTests
{
    // By file name with version: the SHA-256 of the file in the npm package, and the file with the licence.
    private static readonly Dictionary<string, (string Sha256, string Licence)> Files = new()
    {
        ["htmx-4.0.1.min.js"] = ("a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130", "htmx-LICENSE"),
        ["hx-sse-4.0.1.min.js"] = ("18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103", "htmx-LICENSE"),
    };

    private static readonly string Root = Path.Combine(ConventionTests.Root, "Catalog.Api", "wwwroot", "ui");

    [Fact]
    public void Each_file_is_the_published_one_with_its_licence()
    {
        var vendor = Path.Combine(Root, "vendor");
        Assert.Equal(Files.Keys.Concat(Files.Values.Select(file => file.Licence)).Distinct().Order(StringComparer.Ordinal),
            Directory.GetFiles(vendor).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.All(Files, file =>
            Assert.Equal(file.Value.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(vendor, file.Key))))));
        Assert.Contains("Zero-Clause BSD", File.ReadAllText(Path.Combine(vendor, "htmx-LICENSE")), StringComparison.Ordinal);
    }

    [Fact]
    public void All_scripts_together_are_under_60_KB() => Assert.InRange(
        Directory.GetFiles(Root, "*.js", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), 1, 60_000);
}
