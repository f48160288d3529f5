using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Events;

/// <summary>The pipeline id of a job of another tool: <c>namespace/name</c>.</summary>
public static class JobId
{
    /// <summary>Characters of an id.</summary>
    public const int MaxLength = 256;

    /// <summary>
    /// The id. One that would be too long is cut and ends with a hash of the whole, so that different jobs keep
    /// different ids.
    /// </summary>
    public static string Of(string @namespace, string name) => Shorten(@namespace.Length == 0 ? name : $"{@namespace}/{name}");

    /// <summary>Cuts an id that is too long, and adds a hash of the whole.</summary>
    public static string Shorten(string id)
    {
        if (id.Length <= MaxLength)
        {
            return id;
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 8));
        return $"{StoredText.Cut(id, MaxLength - hash.Length - 1)}~{hash}";
    }
}
