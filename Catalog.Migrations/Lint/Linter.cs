using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>Holds the scripts of one engine to the rules, in their order, because what is safe hangs on what was done before.</summary>
/// <param name="engine">The engine's folder.</param>
internal sealed class Linter(string engine)
{
    private readonly List<LintFinding> _findings = [];
    private readonly Facts _chain = new();

    /// <summary>In the order of files and lines.</summary>
    public IReadOnlyList<LintFinding> Findings => [.. _findings.OrderBy(finding => finding.File.StartsWith("down/", StringComparison.Ordinal)).ThenBy(finding => finding.File, StringComparer.Ordinal).ThenBy(finding => finding.Line)];

    /// <summary>Holds scripts to the rules.</summary>
    /// <param name="scripts">Their texts by their paths below the engine's folder.</param>
    public void Check(IReadOnlyDictionary<string, string> scripts)
    {
        foreach (var name in scripts.Keys.Where(name => !name.Contains('/', StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            var up = Read(name, scripts[name]) is { } file ? Check(file, null) : null;
            if (scripts.TryGetValue($"down/{name}", out var text) && Read($"down/{name}", text) is { } down)
            {
                Check(down, up ?? new());
            }
        }
    }

    /// <summary>Tells of scripts that the runner would refuse together.</summary>
    public void Refuse(string message) => Add(".", 1, "chain-broken", message, null);

    /// <summary>Tells of a file that is no text.</summary>
    public void Refuse(string file, int line, string message) => Add(file, line, "unreadable", message, "Save the file as UTF-8.");

    private SqlFile? Read(string name, string text)
    {
        try
        {
            return new SqlFile(name, text);
        }
        catch (MigrationException exception) when (exception.InnerException is UnendedException unended)
        {
            Add(name, unended.Line, "unreadable", unended.Message, null);
        }
        catch (MigrationException exception) when (exception.Fault == MigrationFault.ScriptUnreadable)
        {
            var line = SqlText.Statements(text).SelectMany(statement => statement.Comments).Concat(SqlText.TrailingComments(text))
                .FirstOrDefault(comment => comment.Text.StartsWith("transaction:", StringComparison.OrdinalIgnoreCase)).Line;
            Add(name, Math.Max(1, line), engine == "sqlite" ? "sqlite-no-transaction" : "concurrently-not-alone", exception.Message[(name.Length + 1)..].TrimEnd('.'), null);
        }

        return null;
    }

    private Facts Check(SqlFile file, Facts? up)
    {
        var (here, waivers, endOfLast) = (new Facts(), new Waivers(engine, file.Name), 0);
        foreach (var statement in file.Statements)
        {
            var found = new List<LintFinding>();
            IReadOnlyList<IReadOnlyList<SqlToken>> within = [.. Blocks.Within(statement)];
            foreach (var tokens in within.Prepend(statement.Tokens))
            {
                Check(new(engine, file, statement, tokens, within, here, _chain, up), found);
            }

            _findings.AddRange(waivers.Apply(Blocks.Comments(statement), endOfLast, found));
            endOfLast = statement.Line + statement.Sql.AsSpan().Count('\n');
        }

        waivers.Refuse(SqlText.TrailingComments(file.Sql));
        _findings.AddRange(waivers.Findings);
        return here;
    }

    private void Check(LintContext context, List<LintFinding> found)
    {
        var rules = LintRules.All.Where(rule => rule.Engine is null || rule.Engine == engine).ToList();
        void Found(LintRule rule, LintHit hit) => found.Add(new(engine, context.File.Name, hit.Line, rule.Id, hit.Message, hit.Instead ?? rule.Instead));

        foreach (var rule in rules)
        {
            foreach (var hit in rule.OnStatement?.Invoke(context) ?? [])
            {
                Found(rule, hit);
            }
        }

        foreach (var change in context.Changes)
        {
            foreach (var rule in rules)
            {
                if (rule.OnChange?.Invoke(context, change) is { } hit)
                {
                    Found(rule, hit);
                }
            }

            context.Here.Add(change);
            if (context.Up is null)
            {
                _chain.Add(change);
            }
        }
    }

    private void Add(string file, int line, string rule, string message, string? instead) => _findings.Add(new(engine, file, line, rule, message, instead ?? LintRules.Find(rule).Instead));
}
