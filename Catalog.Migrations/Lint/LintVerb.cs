using System.CommandLine;
using System.Text;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

internal static class LintVerb
{
    private static readonly string[] Engines = ["postgres", "sqlite"];
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Command Command()
    {
        var rules = new Option<bool>("--rules") { Description = "List the rules instead: what each is for, and the safe way." };
        var command = Verb.On("lint",
            "Hold every script, also the ways back, to the rules for changing a schema under traffic. Needs no database. Exits 0 without findings, 1 with findings. "
            + "A comment `-- lint: allow RULE: reason` directly in front of a statement, or inside it, allows it one rule.",
            "lint\nlint --scripts sql\nlint --scripts sql --json\nlint --rules",
            (arguments, output, _) => Task.FromResult(arguments.GetValue(rules) ? List(output) : Run(arguments.GetValue(Verb.Scripts), output)));
        command.Options.Add(rules);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    private static int Run(string? directory, Output output)
    {
        var (scripts, findings) = Check(directory);
        foreach (var finding in findings)
        {
            output.Line($"{finding.Engine}/{finding.File}:{finding.Line}  {finding.Rule}  {finding.Message}");
            foreach (var line in finding.Instead.Split('\n'))
            {
                output.Line($"    {line}");
            }
        }

        output.Line($"{(findings.Count == 0 ? "no" : findings.Count)} {(findings.Count == 1 ? "finding" : "findings")} in {scripts} {(scripts == 1 ? "script" : "scripts")}");
        output.Document(new { scripts, findings });
        return findings.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Holds the scripts of both engines to the rules.</summary>
    /// <param name="directory">Where they are; null: those built into this program.</param>
    /// <returns>How many scripts there are, ways back included, and what is wrong with them.</returns>
    /// <exception cref="MigrationException">The directory has not both engines' folders.</exception>
    public static (int Scripts, IReadOnlyList<LintFinding> Findings) Check(string? directory)
    {
        var (scripts, findings) = (0, new List<LintFinding>());
        foreach (var engine in Engines)
        {
            var linter = new Linter(engine);
            if (directory is null)
            {
                var builtIn = BuiltIn(engine);
                linter.Check(builtIn);
                scripts += builtIn.Count;
            }
            else
            {
                var files = Files(directory, engine);
                linter.Check(Read(files, linter));
                scripts += files.Count;
            }

            // What cannot be read by itself was told already.
            if (directory is not null && Broken(directory, engine) is { Fault: not MigrationFault.ScriptUnreadable } broken)
            {
                linter.Refuse(broken.Message.TrimEnd('.'));
            }

            findings.AddRange(linter.Findings);
        }

        return (scripts, findings);
    }

    private static Dictionary<string, string> BuiltIn(string engine) => Chain.BuiltIn(engine).Scripts
        .SelectMany(script => new[] { script.Up, script.Down }).OfType<SqlFile>()
        .ToDictionary(file => file.Name, file => file.Sql, StringComparer.Ordinal);

    // By their paths below the engine's folder.
    private static Dictionary<string, string> Files(string directory, string engine)
    {
        var root = Path.Combine(directory, engine);
        if (!Directory.Exists(root))
        {
            // Says so in its own words.
            _ = Chain.From(directory, engine);
        }

        return new[] { root, Path.Combine(root, "down") }.Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.sql"))
            .ToDictionary(file => Path.GetRelativePath(root, file).Replace('\\', '/'), file => file, StringComparer.Ordinal);
    }

    // What is no UTF-8 is not read with other letters in its place.
    private static Dictionary<string, string> Read(Dictionary<string, string> files, Linter linter)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, path) in files)
        {
            var bytes = File.ReadAllBytes(path);
            if (NotText(bytes) is { } at)
            {
                linter.Refuse(name, bytes.AsSpan(0, at).Count((byte)'\n') + 1, "is not UTF-8 from here on");
            }
            else
            {
                texts.Add(name, Strict.GetString(bytes));
            }
        }

        return texts;
    }

    // Where; null when all is text. Zeros are UTF-16 without a mark.
    private static int? NotText(byte[] bytes)
    {
        try
        {
            _ = Strict.GetCharCount(bytes);
            return bytes.IndexOf((byte)0) is var zero and >= 0 ? zero : null;
        }
        catch (DecoderFallbackException exception)
        {
            return Math.Clamp(exception.Index, 0, bytes.Length);
        }
    }

    private static MigrationException? Broken(string directory, string engine)
    {
        try
        {
            _ = Chain.From(directory, engine);
            return null;
        }
        catch (MigrationException exception)
        {
            return exception;
        }
    }

    private static int List(Output output)
    {
        var rules = LintRules.All.OrderBy(rule => rule.Id, StringComparer.Ordinal).ToList();
        output.Table(["rule", "engine", "why", "instead"], rules.Select(rule => new[] { rule.Id, rule.Engine, rule.Reason, rule.Instead }));
        output.Document(new { rules = rules.Select(rule => new { rule = rule.Id, engine = rule.Engine, reason = rule.Reason, instead = rule.Instead }) });
        return ExitCode.Ok;
    }
}
