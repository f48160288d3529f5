using System.Data;
using System.Data.Common;
using System.Runtime.ExceptionServices;
using DbUp.Builder;
using DbUp.Engine;
using DbUp.Engine.Transactions;
using DbUp.ScriptProviders;
using DbUp.Support;

namespace Catalog.Data.Migrations.Engine;

/// <summary>
/// One run of one script by DbUp. DbUp reads the journal, executes the statements and writes the journal, in one
/// transaction if the script allows it. Each script needs its own DbUp engine, because the transaction mode belongs to
/// the engine. Each attempt needs its own engine too, because an engine keeps journal rows that were rolled back.
/// </summary>
internal sealed class ScriptRun
{
    private readonly DbConnection _connection;
    private readonly SchemaDialect _dialect;
    private readonly MigrationLimits _limits;
    private readonly ScriptStep _step;
    private readonly CancellationToken _ct;
    private readonly StatementExecutor _executor;
    private readonly UpgradeEngine _engine;

    /// <param name="connection">The connection that holds the migrator's lock.</param>
    /// <param name="dialect">The dialect of the database engine.</param>
    /// <param name="limits">The limits of the session in which the journal row of a script without a transaction is written.</param>
    /// <param name="step">The script to apply or revert.</param>
    /// <param name="ct">Cancels the running statement; its transaction is rolled back.</param>
    public ScriptRun(DbConnection connection, SchemaDialect dialect, MigrationLimits limits, ScriptStep step, CancellationToken ct)
    {
        (_connection, _dialect, _limits, _step, _ct) = (connection, dialect, limits, step, ct);
        var configuration = new UpgradeConfiguration
        {
            VariablesEnabled = false,
            ConnectionManager = new ScriptConnectionManager(connection, step.File)
            {
                TransactionMode = step.File.Transactional ? TransactionMode.SingleTransaction : TransactionMode.NoTransaction,
            },
            ScriptFilter = new DirectionFilter(step.IsUpgrade),
        };
        configuration.Journal = dialect.Journal(() => configuration.ConnectionManager, () => configuration.Log, Store);
        configuration.ScriptExecutor = _executor = new(configuration, dialect, step.File, ct);
        configuration.ScriptProviders.Add(new StaticScriptProvider([new SqlScript(step.Script.Name, step.File.Sql)]));
        _engine = new(configuration);
    }

    /// <summary>The number of rows that the script changed.</summary>
    public long Rows => _executor.Rows;

    /// <summary>The statement that failed; null when the failure was not in a statement of the script.</summary>
    public SqlStatement? Failed => _executor.Current;

    /// <summary>Executes the script and writes the journal.</summary>
    /// <returns>False when the journal shows that another migrator has run the script; nothing was executed then.</returns>
    /// <exception cref="DbException">The driver's error for the failed statement.</exception>
    /// <exception cref="MigrationException">The script leaves rows that violate a constraint.</exception>
    public Task<bool> Execute() => Result(_engine.PerformUpgrade);

    /// <summary>Writes only the journal row, for a script that took effect in an earlier, interrupted run.</summary>
    public Task MarkAsExecuted() => Result(_engine.MarkAsExecuted);

    // DbUp is synchronous, so it runs on a thread of the pool.
    private async Task<bool> Result(Func<DatabaseUpgradeResult> run)
    {
        var result = await Task.Run(run, CancellationToken.None);
        if (!result.Successful)
        {
            ExceptionDispatchInfo.Throw(_executor.Failure ?? result.Error);
        }

        return result.Scripts.Any();
    }

    private void Store(Func<IDbCommand> commands)
    {
        using var command = commands();
        if (command.Transaction is DbTransaction transaction)
        {
            Store(transaction).GetAwaiter().GetResult();
            return;
        }

        // The journal row and the history row are written in one transaction, even for a script without a transaction.
        _dialect.ResetSession(_connection, _limits, _ct).GetAwaiter().GetResult();
        using var own = _connection.BeginTransaction();
        Store(own).GetAwaiter().GetResult();
        own.Commit();
    }

    private async Task Store(DbTransaction transaction)
    {
        // An exception here makes DbUp roll back. After an exception in its event ScriptExecuted, DbUp would commit.
        if (await _dialect.BeforeCommit(_connection, transaction, _ct) is { } broken)
        {
            throw new MigrationException(
                MigrationFault.ScriptFailed, $"{_step.File.Name}: {broken}. The whole script was rolled back. Correct the script.");
        }

        await (_step.IsUpgrade
            ? Journal.Add(_connection, transaction, _step.Row, _ct)
            : Journal.Remove(_connection, transaction, _step.Script.Name, _ct));
        await Journal.Write(_connection, transaction, _step.Attempt(Outcomes.Finished), _ct);
    }

    // An upgrade runs scripts that are not in the journal. A downgrade runs scripts that are in the journal.
    private sealed class DirectionFilter(bool upgrade) : IScriptFilter
    {
        public IEnumerable<SqlScript> Filter(IEnumerable<SqlScript> sorted, HashSet<string> executedScriptNames,
            ScriptNameComparer comparer) =>
            sorted.Where(script => executedScriptNames.Contains(script.Name) != upgrade);
    }
}
