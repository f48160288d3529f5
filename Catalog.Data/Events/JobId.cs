using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Events;

/// <summary>The pipeline id of a job of another tool: <c>namespace/name</c>.</summary>
public static class JobId
{
    /// <summary>The maximum number of characters of an id.</summary>
    public const int MaxLength = 256;

    // An encoded slash. A path with this text could mean two different ids.
    private const string EncodedSlash = "%2F";

    /// <summary>
    /// The id of a job. An id that is too long, or that a path cannot contain, is changed and ends with a hash of the
    /// original id. So different jobs have different ids.
    /// </summary>
    public static string Of(string @namespace, string name) => Shorten(@namespace.Length == 0 ? name : $"{@namespace}/{name}");

    /// <summary>
    /// Cuts an id that is too long and replaces encoded slashes by slashes. An id that is changed, or that is a dot,
    /// two dots or white space, ends with a hash of the original id.
    /// </summary>
    public static string Shorten(string id)
    {
        if (id.Length <= MaxLength && IsUsable(id))
        {
            return id;
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 8));
        return $"{StoredText.Cut(WithSlashes(id), MaxLength - hash.Length - 1)}~{hash}";
    }

    /// <summary>
    /// Replaces the encoded slashes of a text by slashes. With the namespace as the text, the result is the beginning
    /// of the id of each job of the namespace.
    /// </summary>
    public static string WithSlashes(string text) => text.Replace(EncodedSlash, "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a path can contain the id.</summary>
    public static bool IsUsable(string id) =>
        !id.Contains(EncodedSlash, StringComparison.OrdinalIgnoreCase) && id is not ("." or "..") && !string.IsNullOrWhiteSpace(id);

    /// <summary>What is wrong with the id of a run of another tool; null when it can be stored.</summary>
    public static string? RunIdError(string id) => id.Length > MaxLength ? $"has more than {MaxLength} characters."
        : IsUsable(id) ? null
        : "must not be a dot, two dots or white space, and must not contain the text %2F, which is an encoded slash in paths.";
}
