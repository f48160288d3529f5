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
    /// <exception cref="SettingException">It is something else, or not between the two.</exception>
    public static int? Number(IConfiguration configuration, string key, int least, int most)
    {
        // A blank variable is one that somebody meant to unset.
        if (configuration[key] is not { } text || string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        return int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new SettingException($"{key.Replace(":", "__", StringComparison.Ordinal)} must be a whole number from {least} to {most}.");
    }
}
