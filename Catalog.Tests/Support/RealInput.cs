using System.Runtime.CompilerServices;

namespace Catalog.Tests.Support;

/// <summary>Input that nobody of this project wrote, in a folder beside the checkout or where CATALOG_TEST_DATA says; tests that need it skip without.</summary>
public static class RealInput
{
    /// <summary>The files of a folder in the order of their names; skips the test when there are none.</summary>
    public static IReadOnlyList<string> Files(string folder, [CallerFilePath] string source = "")
    {
        var data = Environment.GetEnvironmentVariable("CATALOG_TEST_DATA") is { Length: > 0 } set
            ? set
            : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../../shared/data"));
        var path = Path.Combine(data, folder);
        var files = Directory.Exists(path) ? Directory.GetFiles(path).Order(StringComparer.Ordinal).ToList() : [];
        Assert.SkipWhen(files.Count == 0, $"No real input at {folder}: set CATALOG_TEST_DATA to the folder that holds it.");
        return files;
    }
}
