using System.Globalization;
using Catalog.Data.Settings;

namespace Catalog.Api.Http;

/// <summary>
/// The limit of the process for open files. Each connection needs one open file. The runtime ends the process when the
/// limit is reached, so the service closes further connections before that.
/// </summary>
internal static class OpenFileLimit
{
    // The process needs about 300 for assemblies, and the others for connections to databases and for files.
    private const int Reserved = 400;

    private const int FewestConnections = 32;

    /// <summary>The maximum number of client connections; null when the limit is not known.</summary>
    /// <exception cref="SettingException">The limit is too low to start.</exception>
    public static int? MaxConnections() => File.Exists("/proc/self/limits") ? MaxConnections(File.ReadLines("/proc/self/limits")) : null;

    internal static int? MaxConnections(IEnumerable<string> limits)
    {
        const string Name = "Max open files";
        // The line consists of the name, the soft limit, the hard limit and the unit.
        var line = limits.FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        return int.TryParse(line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture,
            out var files)
            ? files >= Reserved + FewestConnections ? files - Reserved
                : throw new SettingException(
                    $"The limit for open files is {files}. The service needs at least {Reserved + FewestConnections}; set 1024 or more, "
                        + "for example with `ulimit -n 1024`.")
            : null;
    }
}
