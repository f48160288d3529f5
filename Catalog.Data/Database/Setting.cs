using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Database;

/// <summary>Reads settings. Every value comes through <see cref="Text(IConfiguration, string)"/>, so that what files and secrets add to one is judged alike.</summary>
public static class Setting
{
    private static readonly string[] Quotes = ["\"\"", "''", "``", "\u201c\u201d", "\u2018\u2019"];

    /// <summary>A text, without what secrets end in; null when it is not set.</summary>
    /// <exception cref="SettingException">It stands in quotes.</exception>
    public static string? Text(IConfiguration configuration, string key) => Text(Name(key), configuration[key]);

    /// <summary>The same of a value that comes from elsewhere, such as an argument.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="value">The value as it was given.</param>
    /// <exception cref="SettingException">It stands in quotes.</exception>
    public static string? Text(string name, string? value)
    {
        // A blank variable is one that somebody meant to unset. A file may begin with a byte order mark.
        var text = value?.Trim().Trim('\uFEFF', '\u200B').Trim();
        return string.IsNullOrEmpty(text) ? null
            : text.Length > 1 && Array.Exists(Quotes, pair => text[0] == pair[0] && text[^1] == pair[1])
            ? throw new SettingException($"{name} stands in quotes ({text[0]}...{text[^1]}), and they would be part of the value: remove the first and the last character. "
                + "A shell takes such quotes away; `docker run --env-file` and Kubernetes secrets keep them.")
            : text;
    }

    /// <summary>A flag: true, 1, yes, on, or false, 0, no, off; null when it is not set.</summary>
    /// <exception cref="SettingException">It is something else.</exception>
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
    /// <param name="least">The smallest.</param>
    /// <param name="most">The largest.</param>
    /// <param name="otherwise">A sentence that says what else can be done; empty: none.</param>
    /// <exception cref="SettingException">It is something else, or not between the two.</exception>
    public static int? Number(IConfiguration configuration, string key, int least, int most, string otherwise = "") => Text(configuration, key) switch
    {
        null => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most => number,
        _ => throw new SettingException($"{Name(key)} must be a whole number from {least} to {most}. {otherwise}".TrimEnd()),
    };

    /// <summary>How an environment variable is spelled: the configuration spells its two underscores as a colon.</summary>
    public static string Name(string key) => key.Replace(":", "__", StringComparison.Ordinal);
}
