using System.Data;
using System.Data.Common;
using DbUp.Builder;
using DbUp.Engine;
using DbUp.Support;

namespace Catalog.Data.Migrations.Engine;

/// <summary>A DbUp executor that sends statements unchanged, supports cancellation, and knows the line of a failed statement.</summary>
internal sealed class StatementExecutor(UpgradeConfiguration configuration, SchemaDialect dialect, SqlFile file, CancellationToken ct)
    : ScriptExecutor(
        () => configuration.ConnectionManager, dialect.ObjectParser, () => configuration.Log, null, () =>
            configuration.VariablesEnabled, [],
        () => configuration.Journal)
{
    private static readonly string[] ChangesRows = ["insert", "update", "delete", "merge", "with"];

    /// <summary>The number of rows that the statements changed so far.</summary>
    public long Rows { get; private set; }

    /// <summary>The running or failed statement; null when no statement is running and none has failed.</summary>
    public SqlStatement? Current { get; private set; }

    /// <summary>The exception of the failed statement; null when no statement has failed.</summary>
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
            // The rollback may fail too, and its exception would hide this one.
            Failure = exception;
            throw;
        }

        Current = null;
    }

    protected override void ExecuteNonQuery(IDbCommand command)
    {
        var rows = dialect.Execute((DbConnection)command.Connection!, (DbTransaction?)command.Transaction, command.CommandText, ct)
            .GetAwaiter().GetResult();
        // For other statements SQLite counts rows of its schema tables, so their number is not used.
        Rows += ChangesRows.Any(Current!.Tokens[0].Is) ? rows : 0;
    }
}
