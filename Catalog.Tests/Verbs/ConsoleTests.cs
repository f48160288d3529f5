using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Verbs;

/// <summary>
/// Exit codes, JSON and help of the console, on SQLite. Other classes test the verbs on both engines.
/// </summary>
public sealed class ConsoleTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-console-").FullName;
    private readonly TestChain _scripts = new();

    private string Database => Path.Combine(_directory, "catalog.db");

    [Fact]
    public async Task Reading_a_missing_file_does_not_create_it()
    {
        var current = await Run("current", "--json");
        Assert.Equal((3, "base"), (current.Exit, current.Json.GetProperty("current").GetString()));
        Assert.Equal(0, (await Run("history")).Exit);
        Assert.Equal(3, (await Run("verify")).Exit);
        Assert.Equal(0, (await Run("sql")).Exit);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task Each_result_has_its_exit_code()
    {
        // Run the console as a process, as a deployment pipeline does.
        async Task<int> Exit(string verb) => (await MigratorConsole.RunProcess(Database, [], verb, "--scripts", _scripts.Path)).Exit;
        Assert.Equal(3, await Exit("current"));
        Assert.Equal(0, await Exit("upgrade"));
        Assert.Equal(0, await Exit("current"));
        Assert.Equal(0, (await Run("reset", "--yes", "--database", "catalog.db")).Exit);
        Assert.Equal(0, (await Run("downgrade", "base", "--yes", "--database", "catalog.db")).Exit);

        Assert.Equal(3, (await Run("current")).Exit);
        Assert.Equal(0, (await Run("upgrade", "+1")).Exit);
        Assert.Equal(3, (await Run("current")).Exit);
        Assert.Equal(0, (await Run("upgrade")).Exit);
        Assert.Equal(0, (await Run("current")).Exit);
        Assert.Equal(0, (await Run("wait", "--head")).Exit);
        Assert.Equal(2, (await Run("upgrade", "0099")).Exit);
        Assert.Equal(2, (await Run("upgrade", "head", "--lock-timeout", "0")).Exit);
        Assert.Equal(2, (await Run("no-such-verb")).Exit);
        Assert.Equal(2, (await Run()).Exit);

        _scripts.Change("0002_currency.sql", sql => sql + " ");
        foreach (var verb in new[] { "current", "upgrade", "verify" })
        {
            Assert.Equal(4, (await Run(verb)).Exit);
        }

        var setting = await MigratorConsole.RunProcess("mysql://user:c4nary-7781@host/db", [], "current", "--json");
        Assert.Equal((2, "setting"), (setting.Exit, setting.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.DoesNotContain("c4nary-7781", setting.ToString());
        Assert.Equal(7, (await MigratorConsole.Run("postgresql://nobody@127.0.0.1:1/nothing", "current")).Exit);
        Assert.Equal(7, (await MigratorConsole.Run("postgresql://nobody@127.0.0.1:1/nothing", "wait", "--timeout", "0.5")).Exit);
    }

    [Fact]
    public async Task Destructive_verbs_require_the_database_name()
    {
        await Run("upgrade");
        async Task Refused(string words, params string[] arguments)
        {
            var refused = await Run([.. arguments, "--json"]);
            Assert.Equal((2, "not_confirmed"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));
            Assert.Contains(words, refused.Errors);
            Assert.Equal(0, (await Run("current")).Exit);
        }

        await Refused("--yes --database NAME", "reset");
        await Refused("--yes --database NAME", "downgrade", "-1");
        await Refused("--yes --database NAME", "stamp", "base", "--force");
        await Refused("Add --database", "reset", "--yes");
        await Refused("is named catalog.db", "downgrade", "base", "--yes", "--database", "catalog");
        var inProduction = await MigratorConsole.Run(Database, [("DOTNET_ENVIRONMENT", "Production")], "reset", "--yes", "--database",
            "catalog.db", "--scripts", _scripts.Path);
        Assert.Equal((2, true), (inProduction.Exit, inProduction.Errors.Contains("--production", StringComparison.Ordinal)));

        Assert.Equal(0, (await Run("downgrade", "-1", "--yes", "--database", "catalog.db")).Exit);
        var reset = await Run("reset", "--yes", "--database", "catalog.db", "--json");
        Assert.Equal((0, "0004_touch"), (reset.Exit, reset.Json.GetProperty("current").GetString()));
    }

    [Fact]
    public async Task Every_verb_prints_one_JSON_document_and_its_help_shows_an_example()
    {
        await Run("upgrade");
        var verbs = (await Run("--help")).Output.Split("Commands:")[1].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' ').Select(line => line.Trim().Split(' ')[0])
            .ToList();
        Assert.Superset(new HashSet<string> { "current", "history", "upgrade", "downgrade", "sql", "stamp", "verify", "reset", "wait",
            "new", "doctor", "kill", "grant" }, verbs.ToHashSet());

        await Task.WhenAll(verbs.Select(async verb =>
        {
            var help = await Run(verb, "--help");
            Assert.Equal(0, help.Exit);
            Assert.Contains($"  catalog-migrations {verb}", help.Output.Split("Examples:")[1]);
        }));
        foreach (var arguments in new string[][]
        {
            ["current"], ["history"], ["history", "--all"], ["upgrade"], ["downgrade", "-1", "--yes", "--database", "catalog.db"], ["sql"],
            ["stamp", "0003", "--yes", "--database", "catalog.db"], ["verify"], ["verify", "--print"], ["wait"], ["doctor"], ["grant"],
            ["kill", "1", "--yes"], ["upgrade", "77"], ["downgrade", "7"], ["bogus"], ["upgrade", "--bogus"],
        })
        {
            var result = arguments[0] is "grant" or "kill"
                ? await MigratorConsole.Run(Database, [.. arguments, "--json"]) : await Run([.. arguments, "--json"]);
            Assert.True(result.Output.Length > 0, $"{string.Join(' ', arguments)}: {result}");
            Assert.Equal(JsonValueKind.Object, result.Json.ValueKind);
        }
    }

    [Theory]
    [InlineData("migrate", "upgrade")]
    [InlineData("up", "upgrade")]
    [InlineData("apply", "upgrade")]
    [InlineData("status", "current")]
    [InlineData("info", "current")]
    [InlineData("heads", "current")]
    [InlineData("rollback", "downgrade")]
    [InlineData("down", "downgrade")]
    [InlineData("Validate", "verify")]
    public async Task Verbs_of_other_migrators_are_answered_with_ours(string word, string verb)
    {
        var result = await MigratorConsole.Run(Database, word, "--json");
        Assert.Equal((2, "usage"), (result.Exit, result.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains($"Use {verb}: ", result.Errors);
        Assert.Contains($"`catalog-migrations {verb}`", (await MigratorConsole.Run(Database, word, "head")).Errors);
    }

    [Fact]
    public async Task Names_are_not_truncated_in_a_terminal_of_80_columns()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "The program script is needed to create a terminal.");
        await Run("upgrade");
        var backups = Path.Combine(_directory, "backups");
        Assert.Equal(0, (await MigratorConsole.Run(Database, "backup", "--output", backups, "--compress", "6")).Exit);
        var file = Directory.GetFiles(backups, "*.gz").Select(Path.GetFileName).Single();

        var list = await Terminal($"backups list {backups}");
        Assert.Contains(list, line => line.Contains(file!, StringComparison.Ordinal));
        Assert.All(list, line => Assert.InRange(line.Length, 0, 80));
        foreach (var verb in new[] { "history", "history --all" })
        {
            var history = await Terminal($"{verb} --scripts {_scripts.Path}");
            Assert.Contains(history, line => line.Contains("0004_touch", StringComparison.Ordinal));
            Assert.All(history, line => Assert.InRange(line.Length, 0, 80));
        }
    }

    private async Task<string[]> Terminal(string arguments)
    {
        var command = $"stty cols 80; dotnet {Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll")} {arguments}";
        var start = new System.Diagnostics.ProcessStartInfo("script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        (start.Environment["DATAXPIPE_DB"], start.Environment["TERM"]) = (Database, "dumb");
        using var process = System.Diagnostics.Process.Start(start)!;
        var result = await MigratorConsole.End(process);
        Assert.True(result.Exit == 0, result.ToString());
        return [.. result.Output.Split('\n').Select(line => line.TrimEnd('\r'))];
    }

    [Theory]
    [InlineData("postgresql://ada:c4nary@127.0.0.1:1/app", "unreachable", "user ada, database app: nothing answers on 127.0.0.1:1")]
    [InlineData("postgresql://ada:c4nary@nowhere.invalid/app", "unreachable",
        "user ada, database app: the host name of nowhere.invalid:5432 cannot be resolved")]
    [InlineData("Host=127.0.0.1:1,127.0.0.1:2;Password=c4nary;Database=app", "unreachable",
        "the default user, database app: nothing answers on 127.0.0.1:1,127.0.0.1:2")]
    public async Task An_unreachable_address_is_reported_without_the_password(string address, string code, string expected)
    {
        var result = await MigratorConsole.Run(address, "current", "--json");
        Assert.Equal((7, code), (result.Exit, result.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains(expected, result.Errors);
        Assert.DoesNotContain("c4nary", result.ToString());
    }

    [Fact]
    public async Task Piped_output_is_plain_and_aligned()
    {
        await Run("upgrade");
        var history = await Run("history");
        Assert.DoesNotContain('\u001b', history.Output);
        var lines = history.Output.TrimEnd().Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.All(lines, line => Assert.InRange(line.Length, 20, 80));
        Assert.Single(lines.Select(line => line.IndexOf("  ", 20, StringComparison.Ordinal) > 0).Distinct());
    }

    private Task<ConsoleResult> Run(params string[] arguments) =>
        MigratorConsole.Run(Database, arguments is ["no-such-verb" or "--help" or "bogus", ..] or []
            ? arguments : [.. arguments, "--scripts", _scripts.Path]);

    public void Dispose()
    {
        _scripts.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
