namespace Catalog.Tests.Verbs;

/// <summary>A directory with one script of each engine. It is deleted with the test.</summary>
internal sealed class ScriptDirectory : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("catalog-scripts-").FullName;

    public ScriptDirectory()
    {
        foreach (var engine in new[] { "postgres", "sqlite" })
        {
            Write($"{engine}/0001_initial.sql", "create table runs (a text);\n");
        }
    }

    public string Path => System.IO.Path.Combine(_root, "sql");

    public void Write(string file, string text)
    {
        var path = System.IO.Path.Combine(Path, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public IEnumerable<string> Files() => Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
        .Select(file => System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/')).Order(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
