using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Lineage;

/// <summary>
/// A dataset is identified by its shown id alone: <c>namespace/name</c>, the id in answers and paths. The shown id is
/// never split again. So <c>/data/orders</c> and <c>data/orders</c> are two datasets. The name <c>s3://lake/orders</c> without a
/// namespace is the same dataset as the name <c>orders</c> in the namespace <c>s3://lake</c>.
/// </summary>
public static class DatasetId
{
    /// <summary>
    /// The id in answers and paths: <c>namespace/name</c>, or the name alone when the namespace is empty.
    /// </summary>
    public static string Format(string @namespace, string name) => @namespace.Length == 0 ? name : $"{@namespace}/{name}";

    /// <summary>The key of the dataset with this shown id.</summary>
    public static Guid Of(string shownId) => Of("", shownId);

    /// <summary>
    /// The key of a dataset: the first 128 bits of SHA-256 over a zero byte and the shown id. Because the key is a
    /// hash, results are stored without a look-up, and the key of a long name fits into an index entry.
    /// </summary>
    public static Guid Of(string @namespace, string name)
    {
        Span<byte> hash = stackalloc byte[32];
        // Stored keys contain the zero byte: an earlier version separated namespace and name with it.
        SHA256.HashData(Encoding.UTF8.GetBytes($"\0{Format(@namespace, name)}"), hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
