using System.Data;
using System.Data.Common;
using DbUp.Builder;
using DbUp.Engine;
using DbUp.Support;

namespace Catalog.Data.Migrations.Engine;

/// <summary>DbUp's executor with statements that are sent as written, can be cancelled, and are known by their line when they fail.</summary>
internal sealed class StatementExecutor(UpgradeConfiguration configuration, SchemaDialect dialect, SqlFile file, CancellationToken ct)
    : ScriptExecutor(
        () => configuration.ConnectionManager, dialect.Quoting, () => configuration.Log, null, () => configuration.VariablesEnabled, [],
        () => configuration.Journal)
{
    private static readonly string[] ChangesRows = ["insert", "update", "delete", "merge", "with"];

    /// <summary>The rows that the statements have changed so far.</summary>
    public long Rows { get; private set; }

    /// <summary>The statement that runs or failed; null before the first and once all have run.</summary>
    public SqlStatement? Current { get; private set; }

    /// <summary>Why <see cref="Current"/> failed; null when it did not.</summary>
    public Exception? Failure { get; private set; }

    protected override string GetVerifySchemaSql(string schema) => throw new NotSupportedException();

    protected override void ExecuteCommandsWithinExceptionHandler(int index, SqlScript script, Action executeCallback)
    {
        Current = file.Statements[index];
        try
        {
            executeCallback();
        }
        catch (Exception exception)
        {
            // Rolling back may fail too, and its exception would hide this one.
            Failure = exception;
            throw;
        }

        Current = null;
    }

    protected override void ExecuteNonQuery(IDbCommand command)
    {
        var rows = dialect.Execute((DbConnection)command.Connection!, (DbTransaction?)command.Transaction, command.CommandText, ct).GetAwaiter().GetResult();
        // SQLite also counts what it writes into its own tables of definitions.
        Rows += ChangesRows.Any(Current!.Tokens[0].Is) ? rows : 0;
    }
}
