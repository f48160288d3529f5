using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Settings;

/// <summary>
/// Reads settings. Every value passes <see cref="Text(IConfiguration, string)"/>, which removes the line ends and byte
/// order marks that files and secrets can contain.
/// </summary>
public static class Setting
{
    private static readonly string[] Quotes = ["\"\"", "''", "``", "\u201c\u201d", "\u2018\u2019"];

    /// <summary>A text, trimmed; null when the setting is missing or blank.</summary>
    /// <exception cref="SettingException">The value is in quotes.</exception>
    public static string? Text(IConfiguration configuration, string key) => Text(Name(key), configuration[key]);

    /// <summary>
    /// Like <see cref="Text(IConfiguration, string)"/>, for a value from another source, such as a command-line
    /// argument.
    /// </summary>
    /// <param name="name">The name for error messages.</param>
    /// <param name="value">The raw value.</param>
    /// <exception cref="SettingException">The value is in quotes.</exception>
    public static string? Text(string name, string? value)
    {
        // A blank value counts as not set. A file can begin with a byte order mark.
        var text = value?.Trim().Trim('\uFEFF', '\u200B').Trim();
        return string.IsNullOrEmpty(text) ? null
            : text.Length > 1 && Array.Exists(Quotes, pair => text[0] == pair[0] && text[^1] == pair[1])
            ? throw new SettingException(
                $"{name} is in quotes ({text[0]}...{text[^1]}), and the quotes would be part of the value: remove the first and the "
                    + "last character. "
                + "A shell removes such quotes; `docker run --env-file` and Kubernetes secrets keep them.")
            : text;
    }

    /// <summary>A flag: true, 1, yes, on, or false, 0, no, off; null when it is not set.</summary>
    /// <exception cref="SettingException">The value is another word.</exception>
    public static bool? Flag(IConfiguration configuration, string key) => Text(configuration, key)?.ToLowerInvariant() switch
    {
        null => null,
        "true" or "1" or "yes" or "on" => true,
        "false" or "0" or "no" or "off" => false,
        _ => throw new SettingException($"{Name(key)} must be true or false."),
    };

    /// <summary>A whole number; null when it is not set.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="key">The setting's name.</param>
    /// <param name="least">The smallest allowed value.</param>
    /// <param name="most">The largest allowed value.</param>
    /// <param name="otherwise">A sentence with an alternative for the error message; empty when there is none.</param>
    /// <exception cref="SettingException">The value is not a whole number, or is out of range.</exception>
    public static int? Number(IConfiguration configuration, string key, int least, int most, string otherwise = "") =>
        Text(configuration, key) switch
        {
            null => null,
            var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least
                && number <= most => number,
            _ => throw new SettingException($"{Name(key)} must be a whole number from {least} to {most}. {otherwise}".TrimEnd()),
        };

    /// <summary>
    /// The name of the environment variable of a key. The configuration reads two underscores in the name as a colon in
    /// the key.
    /// </summary>
    public static string Name(string key) => key.Replace(":", "__", StringComparison.Ordinal);
}
