using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Database;

/// <summary>Reads settings whose values have few forms.</summary>
public static class Setting
{
    /// <summary>A flag: true, 1, yes, on, or false, 0, no, off; null when it is not set.</summary>
    /// <exception cref="SettingException">It is something else.</exception>
    public static bool? Flag(IConfiguration configuration, string key) => configuration[key]?.Trim().ToLowerInvariant() switch
    {
        null or "" => null,
        "true" or "1" or "yes" or "on" => true,
        "false" or "0" or "no" or "off" => false,
        _ => throw new SettingException($"{key.Replace(":", "__", StringComparison.Ordinal)} must be true or false."),
    };

    /// <summary>A whole number; null when it is not set.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="key">The setting's name.</param>
    /// <param name="least">The smallest.</param>
    /// <param name="most">The largest.</param>
    /// <param name="otherwise">A sentence that says what else can be done; empty: none.</param>
    /// <exception cref="SettingException">It is something else, or not between the two.</exception>
    public static int? Number(IConfiguration configuration, string key, int least, int most, string otherwise = "") => configuration[key]?.Trim() switch
    {
        // A blank variable is one that somebody meant to unset.
        null or "" => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most => number,
        _ => throw new SettingException($"{key.Replace(":", "__", StringComparison.Ordinal)} must be a whole number from {least} to {most}. {otherwise}".TrimEnd()),
    };
}
