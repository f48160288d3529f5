using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Lineage;

/// <summary>
/// What makes a dataset that dataset: its shown id, and nothing else. A namespace and a name are joined to it in one way and never taken
/// apart again, so that an id names one dataset, whoever spelt it: <c>/data/orders</c> and <c>data/orders</c> are two, while a name
/// <c>s3://lake/orders</c> and the name <c>orders</c> in the namespace <c>s3://lake</c> are one.
/// </summary>
public static class DatasetId
{
    /// <summary>What people and paths call a dataset: its name, behind its namespace where it has one.</summary>
    public static string Shown(string @namespace, string name) => @namespace.Length == 0 ? name : $"{@namespace}/{name}";

    /// <summary>The key of the dataset that is called so.</summary>
    public static Guid Of(string shownId) => Of("", shownId);

    /// <summary>
    /// The key of a dataset: the first 128 bits of SHA-256 over a zero byte and its shown id. Ingest then needs no look-up, and long names
    /// never meet the limit of an index.
    /// </summary>
    public static Guid Of(string @namespace, string name)
    {
        Span<byte> hash = stackalloc byte[32];
        // The zero byte is from a time when the namespace stood before it by itself; stored keys have it.
        SHA256.HashData(Encoding.UTF8.GetBytes($"\0{Shown(@namespace, name)}"), hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
