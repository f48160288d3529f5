using System.Diagnostics;
using System.Text.RegularExpressions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

/// <summary>Runs the marked commands of docs/operations.md as written, in order, on a new database.</summary>
public sealed partial class OperationsGuideTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    [Fact]
    public async Task The_commands_of_the_guide_run_as_written()
    {
        server.Require();
        Assert.SkipWhen(!File.Exists("/bin/bash"), "The guide's commands are written for bash.");
        var directory = Directory.CreateTempSubdirectory("catalog-guide-");
        var guide = await File.ReadAllTextAsync(Path.Combine(ConventionTests.Root, "docs", "operations.md"), TestContext.Current.CancellationToken);
        var blocks = Marked().Matches(guide).Select(match => match.Groups["commands"].Value).ToList();
        Assert.True(blocks.Count > 1);
        var script = $"set -euo pipefail\ncatalog-migrations() {{ dotnet '{Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll")}' \"$@\"; }}\n{string.Join('\n', blocks)}";
        var start = new ProcessStartInfo("/bin/bash", ["-c", script]) { WorkingDirectory = directory.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
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
