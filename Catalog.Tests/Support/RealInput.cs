using System.Runtime.CompilerServices;

namespace Catalog.Tests.Support;

/// <summary>
/// Input from outside this project, in the folder at CATALOG_TEST_DATA or beside the checkout. Tests that need it are
/// skipped without it.
/// </summary>
public static class RealInput
{
    /// <summary>
    /// The files of a folder in ordinal order of their names. The test is skipped when there are none.
    /// </summary>
    public static IReadOnlyList<string> Files(string folder, [CallerFilePath] string source = "")
    {
        var data = Environment.GetEnvironmentVariable("CATALOG_TEST_DATA") is { Length: > 0 } set
            ? set
            : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../../shared/data"));
        var path = Path.Combine(data, folder);
        var files = Directory.Exists(path) ? Directory.GetFiles(path).Order(StringComparer.Ordinal).ToList() : [];
        Assert.SkipWhen(files.Count == 0, $"No real input at {folder}: set CATALOG_TEST_DATA to the folder that contains it.");
        return files;
    }
}
