using System.Diagnostics;
using System.Text.RegularExpressions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

/// <summary>Runs the marked commands of docs/operations as written, page after page, on a new database.</summary>
[Trait("Category", "Slow")]
public sealed partial class OperationsGuideTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    // A page needs what the pages before it have created.
    private static readonly string[] Pages =
    [
        "deploy.md", "sqlite-to-postgres.md", "backup-and-restore.md", "retention.md", "replay.md", "fail-over.md", "rotate-keys.md",
        "troubleshooting.md",
    ];

    private static readonly string Folder = Path.Combine(ConventionTests.Root, "docs", "operations");

    [Fact]
    public void Every_page_with_marked_commands_is_run() => Assert.Equal(
        Pages.Order(StringComparer.Ordinal),
        Directory.GetFiles(Folder, "*.md").Where(file => Marked().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));

    [Fact]
    public async Task The_commands_of_the_guide_run_as_written()
    {
        server.Require();
        Assert.SkipWhen(!File.Exists("/bin/bash"), "The guide's commands are written for bash.");
        var directory = Directory.CreateTempSubdirectory("catalog-guide-");
        var guide = string.Join('\n', Pages.Select(page => File.ReadAllText(Path.Combine(Folder, page))));
        var blocks = Marked().Matches(guide).Select(match => match.Groups["commands"].Value).ToList();
        Assert.True(blocks.Count > Pages.Length);
        var script =
            $"set -euo pipefail\ncatalog-migrations() {{ dotnet '{Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll")}' "
                + $"\"$@\"; }}\n{string.Join('\n', blocks)}";
        var start = new ProcessStartInfo("/bin/bash", ["-c", script])
        {
            WorkingDirectory = directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        start.Environment["DATAXPIPE_SECRET_KEY"] = SecretSearch.SecretKey;
        start.Environment["DATAXPIPE_DB"] = await PostgresTestDatabase.Empty("catalog_guide");

        using var process = Process.Start(start)!;
        var result = await MigratorConsole.End(process);

        Assert.True(result.Exit == 0, result.ToString());
        Assert.Contains("verified: ", result.Output);
        directory.Delete(recursive: true);
    }

    [GeneratedRegex("<!-- run -->\n```sh\n(?<commands>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Marked();
}
