using System.Text.RegularExpressions;
using Catalog.Data.Database;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations;

internal static partial class Grant
{
    /// <summary>The role that the service's statements run as.</summary>
    /// <exception cref="SettingException">It is no plain name.</exception>
    public static string Role(IConfiguration settings)
    {
        var role = settings["DATAXPIPE_APP_ROLE"] is { Length: > 0 } named ? named : "catalog_app";
        return PlainName().IsMatch(role)
            ? role
            : throw new SettingException("DATAXPIPE_APP_ROLE must be small letters, digits and underscores, beginning with a letter, at most 63.");
    }

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$")]
    private static partial Regex PlainName();
}
