using System.Diagnostics;

namespace Catalog.Tests.Migrations;

/// <summary>The console in a process of its own, as an operator runs it, and with no database set.</summary>
internal static class MigrationsConsole
{
    public static (int Exit, string Output, string Error) Run(params string[] arguments) => RunIn(Environment.CurrentDirectory, arguments);

    public static (int Exit, string Output, string Error) RunIn(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll"), .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DATAXPIPE_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.ReplaceLineEndings("\n"), error.GetAwaiter().GetResult());
    }
}

/// <summary>A directory with one pair of scripts that goes away with the test.</summary>
internal sealed class ScriptsDirectory : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("catalog-scripts-").FullName;

    public ScriptsDirectory()
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

    public IEnumerable<string> Files() => Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/')).Order(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
