using System.Collections.Concurrent;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Secrets;

/// <summary>
/// Reads the secrets that connections refer to: <c>secret/data/path#key</c>, <c>path#key</c> (Vault), <c>env:NAME</c>
/// and <c>file:/path</c>. An organization can read only what the operator's settings allow.
/// </summary>
internal sealed class SecretResolver(SecretSettings settings, IConfiguration configuration, TimeProvider time, VaultSecrets? vault)
{
    private const string Environment = "env:", File = "file:";
    private const int MaxKept = 10_000;
    private const int MaxFileBytes = 64 * 1024;

    private readonly ConcurrentDictionary<(string Organization, string Reference), (string Value, DateTimeOffset Ends)> _kept = new();

    /// <summary>Whether a text has the form of a reference. Permissions are not checked.</summary>
    public static bool IsPossible(string text) => text.Length is > 2 and <= 512
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '-' or '_' or '.' or '#' or ':')
        && (text.StartsWith(Environment, StringComparison.Ordinal) || text.StartsWith(File + "/", StringComparison.Ordinal)
            || (!text.Contains(':', StringComparison.Ordinal) && text.AsSpan().ContainsAny('/', '#')));

    /// <summary>Reads a secret.</summary>
    /// <exception cref="WarehouseException">
    /// The secret is not available. The message says why and contains no part of the reference.
    /// </exception>
    public async Task<string> Resolve(string organization, string reference, CancellationToken ct) =>
        reference.StartsWith(Environment, StringComparison.Ordinal) ? ReadVariable(organization, reference[Environment.Length..])
        : reference.StartsWith(File, StringComparison.Ordinal) ? await ReadFile(organization, reference[File.Length..], ct)
        : await ReadVault(organization, reference, ct);

    /// <summary>
    /// Removes a secret from the cache. A caller does this when a warehouse rejects the login. The caller then reads
    /// the secret once more, because it may have been replaced.
    /// </summary>
    public void Forget(string organization, string reference) => _kept.TryRemove((organization, reference), out _);

    private async Task<string> ReadVault(string organization, string reference, CancellationToken ct)
    {
        if (vault is null)
        {
            throw VaultHttp.Unavailable("No Vault is configured on this installation. The operator must set DATAXPIPE_VAULT_ADDRESS.");
        }

        var path = SecretPath.Find(reference, organization, settings.Vault!.Paths)
            ?? throw VaultHttp.Unavailable("Your organization is not allowed to read this path of Vault. Use a path that the "
                + "operator has allowed.");
        if (_kept.TryGetValue((organization, reference), out var kept) && time.GetUtcNow() < kept.Ends)
        {
            return kept.Value;
        }

        var (value, lease) = await vault.Read(path, ct);
        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }

        _kept[(organization, reference)] = (value, time.GetUtcNow() + (lease < settings.KeptFor ? lease.Value : settings.KeptFor));
        return value;
    }

    private string ReadVariable(string organization, string name)
    {
        const string Refused = "Your organization is not allowed to read this environment variable. Use a name that the operator "
            + "has allowed.";
        // Only the organization default may read variables. A prefix with the id of an organization would not be safe:
        // every character of a variable name may also be in an id, so the prefix of "a" could match variables of "a_b".
        if (settings.EnvironmentPrefix is not { } prefix || organization != Organization.Default
            || !name.StartsWith(prefix, StringComparison.Ordinal)
            || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'))
        {
            throw VaultHttp.Unavailable(Refused);
        }

        try
        {
            // The configuration replaces two underscores with a colon.
            return Setting.Text(configuration, name.Replace("__", ":", StringComparison.Ordinal))
                ?? throw VaultHttp.Unavailable("The environment variable is not set. Ask the operator to set it.");
        }
        catch (SettingException)
        {
            throw VaultHttp.Unavailable("The environment variable is in quotes. Ask the operator to remove them.");
        }
    }

    private async Task<string> ReadFile(string organization, string path, CancellationToken ct)
    {
        const string Refused = "Your organization is not allowed to read this file. Use a file in the folder that the operator has "
            + "allowed.";
        var folder = Folder(organization) ?? throw VaultHttp.Unavailable(Refused);
        if (!path.StartsWith(folder + "/", StringComparison.Ordinal) || !SecretPath.IsValid(path[(folder.Length + 1)..]))
        {
            throw VaultHttp.Unavailable(Refused);
        }

        try
        {
            var file = new FileInfo(path);
            return !file.Exists ? throw VaultHttp.Unavailable("The file with the secret does not exist. Check the path.")
                : file.Length is 0 or > MaxFileBytes
                ? throw VaultHttp.Unavailable("The file with the secret is empty or larger than 64 KiB. The operator must correct it.")
                : (await System.IO.File.ReadAllTextAsync(path, ct)).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw VaultHttp.Unavailable("The file with the secret cannot be read. Ask the operator to check its permissions.");
        }
    }

    // The folder that an organization may read, or null. A folder without the placeholder is for the organization
    // default only.
    private string? Folder(string organization) =>
        settings.Folder is not { } folder || !SecretPath.IsValid(organization) || organization.Contains('/', StringComparison.Ordinal)
            ? null
        : folder.Contains(SecretSettings.Placeholder, StringComparison.Ordinal)
            ? folder.Replace(SecretSettings.Placeholder, organization, StringComparison.Ordinal)
        : organization == Organization.Default ? folder : null;
}
