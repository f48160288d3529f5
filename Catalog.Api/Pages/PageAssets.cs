using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Catalog.Api.Http;
using Microsoft.Net.Http.Headers;

namespace Catalog.Api.Pages;

/// <summary>
/// The styles and scripts of the pages. They are embedded in the assembly, so they do not depend on the working
/// directory. The address of a file contains a hash of its content, so browsers can keep the file for ever.
/// </summary>
public sealed class PageAssets
{
    private const string Prefix = "ui/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, Asset> _assets = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && Types.ContainsKey(Path.GetExtension(name)))
        .Select(Read)
        .ToFrozenDictionary(asset => asset.Name, StringComparer.Ordinal);

    /// <summary>The address of a file below <c>wwwroot/ui</c>, such as <c>ui.css</c>.</summary>
    public string Url(string name) => $"/ui/assets/{_assets[name].Hash}/{name}";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/ui/assets/{hash}/{**name}", Get).WithMetadata(new AcceptsAnyQuery()).ExcludeFromDescription();

    private static IResult Get(string hash, string name, PageAssets assets, HttpContext context)
    {
        if (!assets._assets.TryGetValue(name, out var asset))
        {
            return Problems.PathUnknown();
        }

        // While replicas of two releases run, a page of the other release can ask for its own version of a file. It
        // gets the file of this release, which the browser does not cache.
        var headers = context.Response.Headers;
        headers.CacheControl = hash == asset.Hash ? "public, max-age=31536000, immutable" : "no-store";
        headers.Vary = HeaderNames.AcceptEncoding;
        if (!context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.OrdinalIgnoreCase))
        {
            return TypedResults.Bytes(asset.Content, asset.Type);
        }

        headers.ContentEncoding = "br";
        return TypedResults.Bytes(asset.Compressed, asset.Type);
    }

    private static Asset Read(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var content = new MemoryStream();
        stream.CopyTo(content);
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.SmallestSize))
        {
            brotli.Write(content.GetBuffer().AsSpan(0, (int)content.Length));
        }

        var bytes = content.ToArray();
        return new(resource[Prefix.Length..], Types[Path.GetExtension(resource)],
            Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8)), bytes, compressed.ToArray());
    }

    private sealed record Asset(string Name, string Type, string Hash, byte[] Content, byte[] Compressed);
}
