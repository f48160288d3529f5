using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Migrations;

/// <summary>One file of SQL.</summary>
public sealed class SqlFile
{
    private const string NoTransaction = "transaction: none";
    private static readonly string[] ControlWords = ["begin", "start", "commit", "end", "abort"];

    /// <summary>Reads the file's statements.</summary>
    /// <param name="name">What messages call it: <c>0001_initial.sql</c>, <c>down/0001_initial.sql</c>.</param>
    /// <param name="sql">Its text.</param>
    /// <exception cref="MigrationException">A quote or comment does not end, or a script without a transaction has not exactly one statement.</exception>
    public SqlFile(string name, string sql)
    {
        (Name, Sql) = (name, sql.TrimStart('\uFEFF'));
        try
        {
            Statements = SqlText.Statements(Sql);
        }
        catch (UnendedException exception)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable, $"{name}: {exception.Message}.", exception);
        }

        Transactional = !Statements.SelectMany(statement => statement.Comments).Concat(SqlText.TrailingComments(Sql))
            .Any(comment => NoTransaction.Equals(comment.Text, StringComparison.OrdinalIgnoreCase));
        if (!Transactional && Statements.Count != 1)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable,
                $"{name} says `-- transaction: none` and holds {Statements.Count} statements: give each one a script of its own, so that a broken run can be told.");
        }
    }

    /// <summary>Refuses a script that would end or begin the runner's own transaction. Savepoints may be used.</summary>
    /// <exception cref="MigrationException">It names the line.</exception>
    internal void RefuseTransactionControl()
    {
        if (Transactional && Statements.FirstOrDefault(ControlsTransaction) is { } control)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable,
                $"{Name} line {control.Line}: `{control.Tokens[0].Text}` would end or begin the runner's own transaction. "
                + "Take it out: every script runs in one.");
        }
    }

    /// <summary>The file's path below its engine's folder.</summary>
    public string Name { get; }

    /// <summary>Its text without a byte order mark.</summary>
    public string Sql { get; }

    /// <summary>In order; empty when the file holds comments only, which says that this engine has nothing to do.</summary>
    public IReadOnlyList<SqlStatement> Statements { get; }

    /// <summary>False when a comment says <c>-- transaction: none</c>: the statement cannot run in a transaction (an index that is built concurrently).</summary>
    public bool Transactional { get; }

    /// <summary>Whether a statement ends or begins a transaction.</summary>
    internal static bool ControlsTransaction(SqlStatement statement) => statement.Tokens[0] is var first
        && (ControlWords.Any(first.Is) || (first.Is("rollback") && !statement.Tokens.Any(token => token.Is("to")))
            || (first.Is("prepare") && statement.Tokens.Count > 1 && statement.Tokens[1].Is("transaction")));
}

/// <summary>One revision of the schema for one engine.</summary>
public sealed class Script
{
    /// <summary>The file that brings the revision.</summary>
    public required SqlFile Up { get; init; }

    /// <summary>The file that takes it back; null where there is none.</summary>
    public required SqlFile? Down { get; init; }

    /// <summary>The description of the schema at this revision (<see cref="SchemaDescription"/>); null where none was committed yet.</summary>
    public required string? Fingerprint { get; init; }

    /// <summary>The bare file name, which is what the journal holds: <c>0001_initial.sql</c>.</summary>
    public string Name => Up.Name;

    /// <summary>The name without its ending: <c>0001_initial</c>.</summary>
    public string Revision => Path.GetFileNameWithoutExtension(Name);

    /// <summary>SHA-256 of the text with line ends as LF and without a byte order mark, in lower-case hexadecimal: a checkout with CRLF is the same script.</summary>
    public string Checksum => field ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Up.Sql.ReplaceLineEndings("\n"))));

    /// <summary>What a person may call it: <c>0001_initial</c>, <c>0001_initial.sql</c>, <c>0001</c> or <c>1</c>.</summary>
    public bool IsCalled(string revision) =>
        revision == Revision || revision == Name || (revision.Length <= 4 && int.TryParse(revision, out var number) && number == Number);

    internal int Number => int.Parse(Name.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture);
}
