using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;

namespace Catalog.Tests;

/// <summary>
/// The documents agree with the code and with each other. The status words in docs/api.md are checked by StatusWordTests.
/// </summary>
[Trait("Category", "Fast")]
public sealed partial class DocsTests
{
    private const int ProseWidth = 120;
    private static readonly string[] Readers = ["service", "console", "service, console", "tests"];

    [Fact]
    public void Every_setting_has_one_row_with_name_default_range_meaning_and_reader()
    {
        var rows = Settings();
        var names = rows.SelectMany(row => Code().Matches(row[0]).Select(match => match.Groups["text"].Value)).ToList();

        Assert.Equal(names.Distinct(), names);
        Assert.Equal(
            KnownSettings.Names.Order(StringComparer.Ordinal),
            names.Where(name => name.StartsWith("DATAXPIPE_", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(rows, row => Assert.Equal(5, row.Length));
        Assert.All(rows, row => Assert.NotEqual("", row[3]));
        Assert.All(rows, row => Assert.Contains(row[4], Readers));
    }

    [Fact]
    public void Ranges_and_defaults_of_settings_are_those_of_the_code()
    {
        var sources = ConventionTests.Sources().Where(file => !file.StartsWith("Catalog.Tests/", StringComparison.Ordinal));
        var code = string.Concat(sources.Select(Read));
        var numbers = ReadNumbers().Matches(code).Concat(ReadStoreNumbers().Matches(code)).ToList();
        var rows = Settings();

        Assert.True(numbers.Count > 10);
        Assert.All(numbers, number =>
        {
            var name = number.Groups["name"].Value.Replace(":", "__", StringComparison.Ordinal);
            var row = rows.Single(row => row[0].Split('`').Contains(name));
            Assert.Equal($"{name}: {Number(number.Groups["least"], "1")} to {Number(number.Groups["most"], "")}", $"{name}: {row[2]}");
            Assert.Equal($"{name}: {Number(number.Groups["default"], row[1])}", $"{name}: {row[1]}");
        });

        static string Number(Group group, string absent) => !group.Success ? absent
            : group.Value is nameof(RetentionDays.MaxDays) ? RetentionDays.MaxDays.ToString(CultureInfo.InvariantCulture)
            : group.Value.Replace("_", "", StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_codes_of_the_console_are_those_of_the_code()
    {
        // The console never shows these two: no verb requires row-level security, and a missing table is a database error.
        var outages = Enum.GetValues<Unavailability>().Except([Unavailability.NotIsolated, Unavailability.SchemaBehind])
            .Select(reason => reason.ToString());
        var literals = ConventionTests.Sources().Where(file => file.StartsWith("Catalog.Migrations/", StringComparison.Ordinal))
            .SelectMany(file => (file.EndsWith("ObjectStore.cs", StringComparison.Ordinal) ? StoreErrors() : Errors()).Matches(Read(file)))
            .Select(match => match.Groups["code"].Value);
        var codes = outages.Concat(Enum.GetNames<MigrationFault>()).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName).Concat(literals);

        Assert.Equal(codes.Distinct().Order(StringComparer.Ordinal), CodesBelow("Error codes with --json"));
    }

    [Fact]
    public void The_finding_codes_of_doctor_are_those_of_the_code()
    {
        var sources = ConventionTests.Sources().Where(file => file.StartsWith("Catalog.Migrations/Doctor/", StringComparison.Ordinal)
            || Path.GetFileName(file) is "PostgresConnectionFailure.cs" or "SqliteConnectionFailure.cs");
        var codes = sources.SelectMany(file => Findings().Matches(Read(file)))
            .SelectMany(match => match.Groups["code"].Captures.Select(code => code.Value));

        Assert.Equal(codes.Distinct().Order(StringComparer.Ordinal), CodesBelow("Finding codes of doctor"));
    }

    [Fact]
    public void Links_between_documents_lead_to_a_file_and_a_heading()
    {
        var broken = Documents().SelectMany(file => Links().Matches(Read(file)).Select(match => match.Groups["to"].Value)
            .Where(to => !to.Contains("://", StringComparison.Ordinal)).Where(to => !Exists(file, to)).Select(to => $"{file}: {to}"));

        Assert.Empty(broken);

        static bool Exists(string from, string to)
        {
            var (path, heading) = to.Split('#') is [var before, var after] ? (before, after) : (to, "");
            var target = path.Length == 0 ? from : Path.Combine(Path.GetDirectoryName(from)!, path);
            return File.Exists(Path.Combine(ConventionTests.Root, target))
                && (heading.Length == 0 || Headings().Matches(Read(target)).Any(match => Anchor(match.Groups["text"].Value) == heading));
        }

        static string Anchor(string heading) => NotInAnchors().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');
    }

    [Fact]
    public void Prose_is_at_most_120_characters_wide() => Assert.Empty(
        Documents().SelectMany(file => CodeBlocks().Replace(Read(file), "").Split('\n')
            .Where(line => line.Length > ProseWidth && !line.StartsWith('|') && !line.StartsWith("<!--", StringComparison.Ordinal))
            .Select(line => $"{file}: {line[..40]}...")));

    [Fact]
    public void Decisions_are_numbered_without_gaps_have_the_same_headings_and_are_in_the_index()
    {
        var index = Read("docs/decisions/README.md");
        var files = Directory.GetFiles(Path.Combine(ConventionTests.Root, "docs", "decisions"), "0*.md")
            .Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ToList();

        Assert.Equal(Enumerable.Range(1, files.Count).Select(number => $"{number:0000}-"), files.Select(file => file[..5]));
        Assert.All(files, file =>
        {
            var text = Read($"docs/decisions/{file}");
            Assert.Matches(DecisionForm(), text);
            Assert.Contains($"[{text[2..text.IndexOf('\n', StringComparison.Ordinal)]}]({file})", index);
        });
    }

    private static IEnumerable<string> CodesBelow(string heading) =>
        Read("docs/operations/exit-codes.md").Split($"\n## {heading}\n")[1].Split("\n## ")[0].Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).SelectMany(line => ErrorCode().Matches(line))
            .Select(match => match.Groups["code"].Value).Distinct().Order(StringComparer.Ordinal);

    private static List<string[]> Settings() => [.. Read("docs/settings.md").Split("\n## Database addresses")[0].Split('\n')
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];

    private static IEnumerable<string> Documents() => Directory.EnumerateFiles(ConventionTests.Root, "*.md", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(ConventionTests.Root, file).Replace('\\', '/'))
        .Where(file => !NotOurs().IsMatch(file));

    private static string Read(string file) => File.ReadAllText(Path.Combine(ConventionTests.Root, file));

    [GeneratedRegex("(^|/)(node_modules|bin|obj)/")]
    private static partial Regex NotOurs();

    [GeneratedRegex(
        @"\A# [^\n]+\n\nDate: \d{4}-\d\d-\d\d\n(\nStatus: [^#]+\n)?\n## Context\n.+?\n## Decision\n.+?\n## Consequences\n",
        RegexOptions.Singleline)]
    private static partial Regex DecisionForm();

    [GeneratedRegex(@"(ExitCode\.\w+,|\.Error\()\s*""(?<code>[a-z_]+)""")]
    private static partial Regex Errors();

    [GeneratedRegex(@"\(""(?<code>[a-z_]+)"",\s")]
    private static partial Regex StoreErrors();

    [GeneratedRegex(
        @"(""(?<code>[a-z_]+)"" : )?""(?<code>[a-z_]+)"", Severity\.|(\bWarn|\b[Ee]rror|\bnew|\.Add)\(\s*""(?<code>[a-z_]+)"",")]
    private static partial Regex Findings();

    [GeneratedRegex("`(?<code>[a-z_]+)`")]
    private static partial Regex ErrorCode();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"Setting\.Number\(\w+, ""(?<name>[A-Z_:]+)"", (?<least>\d+), (?<most>\w+)[^)]*\)( \?\? (?<default>\d+))?")]
    private static partial Regex ReadNumbers();

    [GeneratedRegex(@"Number\(Text\([^)]*\), ""(?<name>\w+)"", (?<default>\d+), (?<most>\d+)\)")]
    private static partial Regex ReadStoreNumbers();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"^\s*```.*?^\s*```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlocks();
}
