namespace Catalog.Migrations.Lint;

/// <summary>What the comments of a script allow: <c>-- lint: allow RULE: reason</c>, directly in front of the statement or inside it.</summary>
internal sealed class Waivers(string engine, string file)
{
    /// <summary>In characters.</summary>
    public const int ShortestReason = 10;

    private const string Mark = "lint:";

    /// <summary>What is wrong with the waivers themselves.</summary>
    public List<LintFinding> Findings { get; } = [];

    /// <summary>The findings that no waiver of a statement allows.</summary>
    /// <param name="comments">The statement's.</param>
    /// <param name="endOfLast">The line that the statement before ends on: a comment there stands behind that one.</param>
    /// <param name="findings">The statement's.</param>
    public List<LintFinding> Apply(IEnumerable<(int Line, string Text)> comments, int endOfLast, List<LintFinding> findings)
    {
        foreach (var (line, rule, reason) in comments.Select(comment => Read(comment.Line, comment.Text)).OfType<(int, string, string)>())
        {
            if (reason.Length < ShortestReason)
            {
                Add(line, "waiver-without-reason", $"allows {rule} without a reason of at least {ShortestReason} characters", $"-- lint: allow {rule}: why this one is safe");
            }
            else if (line <= endOfLast)
            {
                Add(line, "waiver-unused", $"allows {rule} behind a statement, and a waiver is for the statement after it", "Put it on a line in front of the statement.");
            }
            else if (findings.RemoveAll(finding => finding.Rule == rule) == 0)
            {
                Add(line, "waiver-unused", $"allows {rule}, and nothing in its statement needs that", "Take it out.");
            }
        }

        return findings;
    }

    /// <summary>Tells of the waivers that stand in front of no statement.</summary>
    public void Refuse(IEnumerable<(int Line, string Text)> comments)
    {
        foreach (var (line, rule, _) in comments.Select(comment => Read(comment.Line, comment.Text)).OfType<(int, string, string)>())
        {
            Add(line, "waiver-unused", $"allows {rule} in front of no statement", "Put it on a line in front of its statement.");
        }
    }

    // Null when it is no waiver.
    private (int Line, string Rule, string Reason)? Read(int line, string text)
    {
        if (!text.StartsWith(Mark, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var said = text[Mark.Length..].Trim();
        var colon = said.IndexOf(':', StringComparison.Ordinal);
        var (head, reason) = colon < 0 ? (said, "") : (said[..colon].TrimEnd(), said[(colon + 1)..].Trim());
        if (head.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not ["allow", var rule])
        {
            Add(line, "waiver-unknown", $"`{text}` is no waiver: write -- lint: allow RULE: reason", null);
            return null;
        }

        if (LintRules.All.All(known => known.Id != rule))
        {
            Add(line, "waiver-unknown", $"there is no rule {rule}", null);
            return null;
        }

        return (line, rule, reason);
    }

    private void Add(int line, string rule, string message, string? instead) =>
        Findings.Add(new(engine, file, line, rule, message, instead ?? LintRules.Find(rule).Instead));
}
