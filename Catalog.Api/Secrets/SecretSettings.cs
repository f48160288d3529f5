using Catalog.Data.Settings;

namespace Catalog.Api.Secrets;

/// <summary>The places from which the secrets of connections may be read.</summary>
internal sealed record SecretSettings
{
    /// <summary>Stands for the organization's id in prefixes.</summary>
    public const string Placeholder = "{organization}";

    // These prefixes are rejected, because they would reveal the service's own settings.
    private static readonly string[] OwnSettings =
        ["DATAXPIPE_", "DATABASE_", "POSTGRES_", "AWS_", "ASPNETCORE_", "DOTNET_", "KUBERNETES_"];

    /// <summary>The settings for Vault; null when no Vault is configured.</summary>
    public required VaultSettings? Vault { get; init; }

    /// <summary>
    /// The prefix of the environment variables that <c>env:</c> may read, in the organization <c>default</c> only. Null
    /// means that no variable may be read.
    /// </summary>
    public required string? EnvironmentPrefix { get; init; }

    /// <summary>
    /// The folder that <c>file:</c> may read, without a slash at its end. Null means that no file may be read.
    /// </summary>
    public required string? Folder { get; init; }

    /// <summary>
    /// How long a secret of Vault is kept in memory. A secret with a shorter lease is kept for its lease.
    /// </summary>
    public required TimeSpan KeptFor { get; init; }

    /// <exception cref="SettingException">A setting is not valid. The message repeats no value.</exception>
    public static SecretSettings Read(IConfiguration configuration)
    {
        const string PrefixName = "DATAXPIPE_SECRET_ENV_PREFIX", FolderName = "DATAXPIPE_SECRET_FOLDER";
        var prefix = Setting.Text(configuration, PrefixName);
        if (prefix is not null && (prefix.Length < 4
            || !prefix.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_')
            || Array.Exists(OwnSettings, own => own.StartsWith(prefix, StringComparison.Ordinal)
                || prefix.StartsWith(own, StringComparison.Ordinal))))
        {
            throw new SettingException(
                $"{PrefixName} must consist of at least 4 capital letters, digits or underscores, such as WAREHOUSE_SECRET_. It must "
                    + "not begin like a setting of the service or of its environment, such as DATAXPIPE_ or AWS_.");
        }

        var folder = Setting.Text(configuration, FolderName)?.TrimEnd('/');
        return folder is not null && (folder.Length < 2 || folder[0] != '/' || Path.GetFullPath(folder) != folder)
            ? throw new SettingException(
                $"{FolderName} must be an absolute path of a folder, not the root, without . and .. in it; it may contain {Placeholder}.")
            : new()
            {
                Vault = VaultSettings.Read(configuration),
                EnvironmentPrefix = prefix,
                Folder = folder,
                KeptFor = TimeSpan.FromSeconds(Setting.Number(configuration, "DATAXPIPE_VAULT_TTL", 0, 3600) ?? 60),
            };
    }
}
