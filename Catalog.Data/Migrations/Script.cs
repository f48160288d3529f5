using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Migrations;

/// <summary>One SQL file.</summary>
public sealed class SqlFile
{
    private const string NoTransaction = "transaction: none";
    private static readonly string[] ControlWords = ["begin", "start", "commit", "end", "abort"];

    /// <summary>Parses the statements of the file.</summary>
    /// <param name="name">The name for error messages: <c>0001_initial.sql</c>, <c>down/0001_initial.sql</c>.</param>
    /// <param name="sql">The text of the file.</param>
    /// <exception cref="MigrationException">A quote or comment is not closed, or a script without a transaction does
    /// not have exactly one statement.</exception>
    public SqlFile(string name, string sql)
    {
        (Name, Sql) = (name, sql.TrimStart('\uFEFF'));
        try
        {
            Statements = StatementSplitter.Statements(Sql);
        }
        catch (UnclosedException exception)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable, $"{name}: {exception.Message}.", exception);
        }

        Transactional = !Statements.SelectMany(statement => statement.Comments).Concat(StatementSplitter.TrailingComments(Sql))
            .Any(comment => NoTransaction.Equals(comment.Text, StringComparison.OrdinalIgnoreCase));
        if (!Transactional && Statements.Count != 1)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable,
                $"{name} has `-- transaction: none` and {Statements.Count} statements: write one script per statement, so that the "
                    + "state after an interrupted run is known.");
        }
    }

    /// <summary>Rejects a script that would end or begin the runner's transaction. Savepoints are allowed.</summary>
    /// <exception cref="MigrationException">The script has such a statement; the message contains its line.</exception>
    internal void RefuseTransactionControl()
    {
        if (Transactional && Statements.FirstOrDefault(ControlsTransaction) is { } control)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable,
                $"{Name} line {control.Line}: `{control.Tokens[0].Text}` would end or begin the runner's transaction. "
                + "Remove it: every script runs in a transaction.");
        }
    }

    /// <summary>The path of the file below its engine's folder.</summary>
    public string Name { get; }

    /// <summary>The text without a byte order mark.</summary>
    public string Sql { get; }

    /// <summary>The statements in order; empty when the file contains only comments, because this engine has nothing to do.</summary>
    public IReadOnlyList<SqlStatement> Statements { get; }

    /// <summary>
    /// False when the file has the comment <c>-- transaction: none</c>. Its statement cannot run in a transaction, such
    /// as a concurrent index build.
    /// </summary>
    public bool Transactional { get; }

    /// <summary>Whether a statement ends or begins a transaction.</summary>
    internal static bool ControlsTransaction(SqlStatement statement) => statement.Tokens[0] is var first
        && (ControlWords.Any(first.Is) || (first.Is("rollback") && !statement.Tokens.Any(token => token.Is("to")))
            || (first.Is("prepare") && statement.Tokens.Count > 1 && statement.Tokens[1].Is("transaction")));
}

/// <summary>One revision of the schema for one engine.</summary>
public sealed class Script
{
    /// <summary>The file that applies the revision.</summary>
    public required SqlFile Up { get; init; }

    /// <summary>The file that reverts the revision; null when there is none.</summary>
    public required SqlFile? Down { get; init; }

    /// <summary>The description of the schema at this revision (<see cref="SchemaDescription"/>); null when none is stored.</summary>
    public required string? Fingerprint { get; init; }

    /// <summary>The file name, as stored in the journal: <c>0001_initial.sql</c>.</summary>
    public string Name => Up.Name;

    /// <summary>The name without its extension: <c>0001_initial</c>.</summary>
    public string Revision => Path.GetFileNameWithoutExtension(Name);

    /// <summary>
    /// SHA-256 of the text in lower-case hexadecimal, with LF line ends and without a byte order mark, so that a
    /// checkout with CRLF has the same checksum.
    /// </summary>
    public string Checksum => field ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Up.Sql.ReplaceLineEndings("\n"))));

    /// <summary>
    /// Whether a revision argument means this script: <c>0001_initial</c>, <c>0001_initial.sql</c>, <c>0001</c> or
    /// <c>1</c>.
    /// </summary>
    public bool Matches(string revision) =>
        revision == Revision || revision == Name || (revision.Length <= 4 && int.TryParse(revision, out var number) && number == Number);

    internal int Number => int.Parse(Name.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture);
}
