namespace Catalog.Tests.Support;

/// <summary>
/// A copy of the scripts of <c>Catalog.Tests/Migrations/Chain</c> that a test may change: four revisions with data, an
/// index that is built concurrently, a trigger and a view.
/// </summary>
public sealed class TestChain : IDisposable
{
    public TestChain()
    {
        var source = System.IO.Path.Combine(ConventionTests.Root, "Catalog.Tests", "Migrations", "Chain");
        foreach (var file in Directory.EnumerateFiles(source, "*.sql", SearchOption.AllDirectories))
        {
            var copy = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>The folder for <c>--scripts</c>.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("catalog-scripts-").FullName;

    /// <summary>
    /// Changes a file of both engines. If the file does not exist, <paramref name="change"/> gets an empty text and its
    /// result is written to a new file. If it returns null, the file is deleted.
    /// </summary>
    public TestChain Change(string name, Func<string, string?> change)
    {
        foreach (var engine in new[] { "postgres", "sqlite" })
        {
            var file = System.IO.Path.Combine(Path, engine, name);
            if (change(File.Exists(file) ? File.ReadAllText(file) : "") is { } text)
            {
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
                File.WriteAllText(file, text);
            }
            else
            {
                File.Delete(file);
            }
        }

        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
