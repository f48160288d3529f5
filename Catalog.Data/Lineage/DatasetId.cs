using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Lineage;

/// <summary>
/// How a dataset is keyed: the first 128 bits of SHA-256 over namespace, a zero byte and name. Ingest then needs no look-up, and
/// long names never meet the limit of an index.
/// </summary>
public static class DatasetId
{
    /// <summary>The key of a dataset of our own bodies (empty namespace) or of OpenLineage.</summary>
    public static Guid Of(string @namespace, string name)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{@namespace}\0{name}"), hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
