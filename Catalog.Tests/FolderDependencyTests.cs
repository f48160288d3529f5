using System.Text.RegularExpressions;

namespace Catalog.Tests;

/// <summary>
/// Folders of a project have no circular dependencies. Files directly in the project's folder may use every folder.
/// </summary>
public sealed partial class FolderDependencyTests
{
    [Theory]
    [InlineData("Catalog.Api")]
    [InlineData("Catalog.Data")]
    [InlineData("Catalog.Migrations")]
    public void Folders_of_a_project_have_no_circular_dependency(string project)
    {
        var root = Path.Combine(ConventionTests.Root, project);
        var uses = Directory.GetDirectories(root).Select(directory => Path.GetFileName(directory))
            .Where(folder => folder is not ("bin" or "obj"))
            .ToDictionary(folder => folder, folder =>
                Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
                .SelectMany(file => Uses().Matches(File.ReadAllText(file)))
                .Where(match => match.Groups["project"].Value == project && match.Groups["folder"].Value != folder)
                .Select(match => match.Groups["folder"].Value).ToHashSet(StringComparer.Ordinal));

        // Remove folders that use no remaining folder. The folders left at the end form a cycle.
        while (uses.FirstOrDefault(folder => !folder.Value.Overlaps(uses.Keys)).Key is { } free)
        {
            uses.Remove(free);
        }

        Assert.Empty(
            uses.Select(folder =>
                $"{folder.Key} uses {string.Join(", ", folder.Value.Where(uses.ContainsKey).Order(StringComparer.Ordinal))}"));
    }

    [GeneratedRegex(@"\b(?<project>Catalog\.(Api|Data|Migrations))\.(?<folder>\w+)")]
    private static partial Regex Uses();
}
