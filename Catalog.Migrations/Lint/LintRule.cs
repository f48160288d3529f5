using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>What is wrong at one place of a script, and how it is written safely.</summary>
/// <param name="Engine">Its engine's folder.</param>
/// <param name="File">Its path below that folder.</param>
/// <param name="Line">From 1.</param>
/// <param name="Rule">The rule's id.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Instead">The safe way, one or several lines.</param>
internal sealed record LintFinding(string Engine, string File, int Line, string Rule, string Message, string Instead);

/// <summary>A place where a rule fires.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Instead">The safe way with the script's own names; null: the rule's.</param>
internal sealed record LintHit(int Line, string Message, string? Instead = null);

/// <summary>A rule that scripts are held to.</summary>
/// <param name="Id">Stable, in kebab-case; what a waiver names.</param>
/// <param name="Reason">What goes wrong otherwise, in one line.</param>
/// <param name="Instead">The safe way, in one line.</param>
internal sealed record LintRule(string Id, string Reason, string Instead)
{
    /// <summary>The folder of the only engine it is for; null: of both.</summary>
    public string? Engine { get; init; }

    /// <summary>Judges one change before it is done; null where it is safe. A statement without changes is not shown.</summary>
    public Func<LintContext, Change, LintHit?>? OnChange { get; init; }

    /// <summary>Judges a statement.</summary>
    public Func<LintContext, IEnumerable<LintHit>>? OnStatement { get; init; }
}

/// <summary>A statement, and what a rule may know around it.</summary>
/// <param name="Engine">The engine's folder.</param>
/// <param name="File">The script.</param>
/// <param name="Statement">The statement of the script.</param>
/// <param name="Tokens">What is judged: the statement, or one within a <c>do</c> block.</param>
/// <param name="Within">The statements within the <c>do</c> block; empty for another statement.</param>
/// <param name="Here">What this script has done before.</param>
/// <param name="Before">What the scripts before have done, and this one so far; for a way back also what it takes back.</param>
/// <param name="Up">For a way back, what its script did.</param>
internal sealed record LintContext(
    string Engine, SqlFile File, SqlStatement Statement, IReadOnlyList<SqlToken> Tokens, IReadOnlyList<IReadOnlyList<SqlToken>> Within, Facts Here, Facts Before, Facts? Up)
{
    /// <summary>Its changes.</summary>
    public IReadOnlyList<Change> Changes { get; } = [.. Change.Read(Tokens)];

    /// <summary>Whether it stands in a <c>do</c> block.</summary>
    public bool Inner => !ReferenceEquals(Tokens, Statement.Tokens);

    /// <summary>Where it begins.</summary>
    public int Line => Tokens[0].Line;

    /// <summary>Whether nobody can be reading or writing a table yet, or it goes away as it came.</summary>
    public bool IsNew(string table) => Here.MadeTable(table) || Up?.MadeTable(table) == true;

    /// <summary>Whether this script made it, or the one that is taken back.</summary>
    public bool Made(string kind, string table, string name) => Here.Made(kind, table, name) || Up?.Made(kind, table, name) == true;

    /// <summary>A hit at the statement's beginning.</summary>
    public IEnumerable<LintHit> At(string message, string? instead = null) => [new(Line, message, instead)];
}
