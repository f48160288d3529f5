using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Catalog.Data.Dbt;

/// <summary>The name of the project that a manifest belongs to.</summary>
internal static class DbtProject
{
    private const int MaxName = 500;

    /// <summary>
    /// The name in the metadata. Manifests before version 11 have only the MD5 of the name. For these, it is the
    /// package whose name has this hash or, if there is none, the package with the most nodes.
    /// </summary>
    public static string NameOf(JsonElement manifest, DbtGraph graph)
    {
        var metadata = manifest.Object("metadata");
        if (metadata?.Text("project_name", MaxName) is { } name)
        {
            return name;
        }

        var packages = graph.Nodes.Select(node => node.Json.Text("package_name", MaxName)).OfType<string>()
            .GroupBy(package => package, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => group.Key).ToList();
        var hash = metadata?.Text("project_id");
        return packages.Find(package => Md5(package) == hash) ?? packages.FirstOrDefault() ?? "dbt";
    }

#pragma warning disable CA5351 // dbt identifies projects by MD5; nothing is protected by it.
    private static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5351
}
