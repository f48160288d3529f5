using Catalog.Data.Settings;

namespace Catalog.Api.Secrets;

/// <summary>How the service signs in to Vault.</summary>
internal enum VaultSignIn
{
    Token,
    TokenFile,
    AppRole,
    Kubernetes,
}

/// <summary>The address of Vault, the sign-in, and the paths that organizations may read.</summary>
internal sealed record VaultSettings
{
    private const string AddressName = "DATAXPIPE_VAULT_ADDRESS", PathsName = "DATAXPIPE_VAULT_PATHS",
        TokenName = "DATAXPIPE_VAULT_TOKEN", TokenFileName = "DATAXPIPE_VAULT_TOKEN_FILE", RoleIdName = "DATAXPIPE_VAULT_ROLE_ID",
        SecretIdName = "DATAXPIPE_VAULT_SECRET_ID", KubernetesRoleName = "DATAXPIPE_VAULT_KUBERNETES_ROLE";

    public required Uri Address { get; init; }

    public required VaultSignIn SignIn { get; init; }

    /// <summary>The token, the token file, the role's id, or the Kubernetes role. Never printed.</summary>
    public required string Identity { get; init; }

    /// <summary>
    /// For AppRole the secret id; for Kubernetes the file with the service account's token; otherwise null. Never
    /// printed.
    /// </summary>
    public required string? Proof { get; init; }

    /// <summary>The mount of the sign-in below <c>auth/</c>.</summary>
    public required string SignInMount { get; init; }

    public required string? Namespace { get; init; }

    /// <summary>The time limit for one request, including retries.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>
    /// Prefixes of readable paths, each with a slash at its end. Prefixes without the placeholder are for the
    /// organization <c>default</c> only.
    /// </summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>
    /// The text does not contain the identity, so that settings that are logged by mistake do not reveal it.
    /// </summary>
    public override string ToString() => $"Vault at {Address.Authority}";

    /// <returns>The settings; null when Vault is not configured.</returns>
    /// <exception cref="SettingException">A setting is missing or not valid. The message repeats no value.</exception>
    public static VaultSettings? Read(IConfiguration configuration)
    {
        string? Text(string name) => Setting.Text(configuration, name);
        string[] identities = [TokenName, TokenFileName, RoleIdName, KubernetesRoleName];
        var given = identities.Where(name => Text(name) is not null).ToList();
        if (Text(AddressName) is not { } address)
        {
            return given.Count == 0 ? null
                : throw new SettingException($"{given[0]} is set, but {AddressName} is not: set it to the address of Vault.");
        }

        if (given.Count != 1)
        {
            throw new SettingException($"Set exactly one of {string.Join(", ", identities)}, so that the service can sign in to Vault.");
        }

        var signIn = (VaultSignIn)Array.IndexOf(identities, given[0]);
        return new()
        {
            Address = ReadAddress(address),
            SignIn = signIn,
            Identity = Visible(given[0], Text(given[0])!),
            Proof = signIn switch
            {
                VaultSignIn.AppRole => Visible(SecretIdName, Text(SecretIdName)
                    ?? throw new SettingException($"{SecretIdName} is missing: {RoleIdName} needs the secret id of the role.")),
                VaultSignIn.Kubernetes => Text("DATAXPIPE_VAULT_KUBERNETES_TOKEN_FILE")
                    ?? "/var/run/secrets/kubernetes.io/serviceaccount/token",
                _ => null,
            },
            SignInMount = ReadMount(Text("DATAXPIPE_VAULT_AUTH_MOUNT") ?? (signIn == VaultSignIn.Kubernetes ? "kubernetes" : "approle")),
            Namespace = Text("DATAXPIPE_VAULT_NAMESPACE") is { } space ? Visible("DATAXPIPE_VAULT_NAMESPACE", space) : null,
            Timeout = TimeSpan.FromSeconds(Setting.Number(configuration, "DATAXPIPE_VAULT_TIMEOUT", 1, 30) ?? 5),
            Paths = ReadPaths(Text(PathsName) ?? $"secret/data/{SecretSettings.Placeholder}/,vault/data/"),
        };
    }

    private static Uri ReadAddress(string text) =>
        Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) && address.UserInfo.Length == 0
        && address.Fragment.Length == 0 && address.Query.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : throw new SettingException(
                $"{AddressName} must be an https:// address without user, password, query and fragment; http:// is "
                    + "allowed for loopback only.");

    private static string ReadMount(string mount) => SecretPath.IsValid(mount) ? mount
        : throw new SettingException("DATAXPIPE_VAULT_AUTH_MOUNT must be the path of a mount below auth/, such as approle.");

    private static List<string> ReadPaths(string text)
    {
        var paths = text.Split(',', StringSplitOptions.TrimEntries).Select(path => path.TrimEnd('/') + "/").ToList();
        if (!paths.TrueForAll(path =>
            SecretPath.IsValid(path.Replace(SecretSettings.Placeholder, "x", StringComparison.Ordinal).TrimEnd('/'))
            && path.Split('/').All(part => part == SecretSettings.Placeholder || !part.Contains('{', StringComparison.Ordinal))))
        {
            throw new SettingException(
                $"{PathsName} must be paths separated by commas, such as vault/data/,secret/data/{SecretSettings.Placeholder}/. A part "
                    + $"of a path consists of letters, digits, '-', '_' and '.', or is exactly {SecretSettings.Placeholder}, which the "
                    + "service replaces by the id of the organization.");
        }

        var shared = paths.Where(path => !path.Contains(SecretSettings.Placeholder, StringComparison.Ordinal)).ToList();
        return shared.Exists(path => paths.Exists(other => other != path && other.StartsWith(path, StringComparison.Ordinal)
            && other.Contains(SecretSettings.Placeholder, StringComparison.Ordinal)))
            ? throw new SettingException(
                $"{PathsName} contains a path that is the beginning of a path with {SecretSettings.Placeholder}. The organization "
                    + "'default' could then "
                    + "read the secrets of all organizations. Use paths that do not contain each other.")
            : paths;
    }

    // The value becomes a header or part of a request, so it must be one line.
    private static string Visible(string name, string value) => value.All(letter => letter is > ' ' and <= '~') ? value
        : throw new SettingException($"{name} must consist of visible ASCII characters without spaces.");
}
