using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Lineage;

/// <summary>
/// A dataset is identified by its shown id alone. Namespace and name are joined to the shown id and never split again,
/// so equal ids are the same dataset: <c>/data/orders</c> and <c>data/orders</c> are two datasets, while the name
/// <c>s3://lake/orders</c> without a namespace and the name <c>orders</c> in the namespace <c>s3://lake</c> are one.
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
    /// The key of a dataset: the first 128 bits of SHA-256 over a zero byte and the shown id. A hash needs no look-up
    /// when results are stored, and keeps long names within the size limit of an index entry.
    /// </summary>
    public static Guid Of(string @namespace, string name)
    {
        Span<byte> hash = stackalloc byte[32];
        // Stored keys contain the zero byte: an earlier version separated namespace and name with it.
        SHA256.HashData(Encoding.UTF8.GetBytes($"\0{Format(@namespace, name)}"), hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
