using System.CommandLine;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

internal static class LintVerb
{
    private static readonly string[] Engines = ["postgres", "sqlite"];

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
            var texts = directory is null ? BuiltIn(engine) : Read(directory, engine);
            linter.Check(texts);
            // What cannot be read by itself was told already.
            if (directory is not null && Broken(directory, engine) is { Fault: not MigrationFault.ScriptUnreadable } broken)
            {
                linter.Refuse(broken.Message.TrimEnd('.'));
            }

            scripts += texts.Count;
            findings.AddRange(linter.Findings);
        }

        return (scripts, findings);
    }

    private static Dictionary<string, string> BuiltIn(string engine) => Chain.BuiltIn(engine).Scripts
        .SelectMany(script => new[] { script.Up, script.Down }).OfType<SqlFile>()
        .ToDictionary(file => file.Name, file => file.Sql, StringComparer.Ordinal);

    private static Dictionary<string, string> Read(string directory, string engine)
    {
        var root = Path.Combine(directory, engine);
        if (!Directory.Exists(root))
        {
            // Says so in its own words.
            _ = Chain.From(directory, engine);
        }

        return new[] { root, Path.Combine(root, "down") }.Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.sql"))
            .ToDictionary(file => Path.GetRelativePath(root, file).Replace('\\', '/'), File.ReadAllText, StringComparer.Ordinal);
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
