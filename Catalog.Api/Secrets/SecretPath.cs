namespace Catalog.Api.Secrets;

/// <summary>
/// A path in Vault and the key within the secret, from a reference such as <c>secret/data/path#key</c>.
/// </summary>
/// <param name="Path">The complete path, such as <c>secret/data/acme/db</c>.</param>
/// <param name="Key">The key. Null means the secret's only key, or <c>value</c> if the secret has several keys.</param>
internal readonly record struct SecretPath(string Path, string? Key)
{
    private const int MaxLength = 512;

    /// <summary>
    /// Finds the path that an organization may read. If the first part of the reference is the mount of a configured
    /// path, the reference is the complete path. Otherwise it is appended to the first path of the organization.
    /// </summary>
    /// <returns>
    /// The path; null when the reference is not valid, or when the organization may not read the path.
    /// </returns>
    public static SecretPath? Find(string reference, string organization, IReadOnlyList<string> configured)
    {
        var mark = reference.IndexOf('#', StringComparison.Ordinal);
        var (path, key) = mark < 0 ? (reference, null) : (reference[..mark], reference[(mark + 1)..]);
        if (reference.Length > MaxLength || !IsValid(path) || (key is not null && !IsPart(key)) || !IsPart(organization))
        {
            return null;
        }

        var allowed = configured
            .Where(prefix => organization == Data.Organizations.Organization.Default
                || prefix.Contains(SecretSettings.Placeholder, StringComparison.Ordinal))
            .Select(prefix => prefix.Replace(SecretSettings.Placeholder, organization, StringComparison.Ordinal)).ToList();
        var mount = path.Split('/')[0] + "/";
        return allowed.Exists(prefix => path.StartsWith(prefix, StringComparison.Ordinal)) ? new(path, key)
            : allowed.Count > 0 && !configured.Any(prefix => prefix.StartsWith(mount, StringComparison.Ordinal))
                ? new(allowed[0] + path, key)
            : null;
    }

    /// <summary>
    /// Whether a path contains only ordinary parts: ASCII letters, digits, <c>-</c>, <c>_</c> and <c>.</c>. A part that
    /// is empty, <c>.</c> or <c>..</c> is not valid.
    /// </summary>
    public static bool IsValid(string path) => path.Split('/').All(IsPart);

    private static bool IsPart(string part) => part is not ("" or "." or "..")
        && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
