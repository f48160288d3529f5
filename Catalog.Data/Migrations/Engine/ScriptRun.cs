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
/// One run of one script by DbUp, which reads the journal, executes the statements and writes the journal, all in one
/// transaction where the script allows it. An engine serves one script, because the transaction mode belongs to the engine,
/// and one attempt, because an engine remembers a journal that was rolled back.
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

    /// <param name="connection">The one that holds the migrator's lock.</param>
    /// <param name="dialect">The engine's.</param>
    /// <param name="limits">What the session is set to before the journal of a script without a transaction is written.</param>
    /// <param name="step">What is applied or undone.</param>
    /// <param name="ct">Stops the statement that runs; its transaction is then undone.</param>
    public ScriptRun(DbConnection connection, SchemaDialect dialect, MigrationLimits limits, ScriptStep step, CancellationToken ct)
    {
        (_connection, _dialect, _limits, _step, _ct) = (connection, dialect, limits, step, ct);
        var configuration = new UpgradeConfiguration
        {
            VariablesEnabled = false,
            ConnectionManager = new LentConnectionManager(connection, step.File)
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

    /// <summary>The rows that the script has changed.</summary>
    public long Rows => _executor.Rows;

    /// <summary>The statement that failed; null when what failed was no statement of the script.</summary>
    public SqlStatement? Failed => _executor.Current;

    /// <summary>Executes the script and writes the journal.</summary>
    /// <returns>False when the journal says that another migrator has done it meanwhile; nothing was executed then.</returns>
    /// <exception cref="DbException">What the driver says of the statement that failed.</exception>
    /// <exception cref="MigrationException">The script leaves the data broken.</exception>
    public Task<bool> Execute() => Result(_engine.PerformUpgrade);

    /// <summary>Writes the journal of a script that took effect before an earlier run could write it.</summary>
    public Task MarkAsExecuted() => Result(_engine.MarkAsExecuted);

    // DbUp is synchronous.
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

        // The journal's row and the history's are one transaction, also after a script that has none.
        _dialect.Settle(_connection, _limits, _ct).GetAwaiter().GetResult();
        using var own = _connection.BeginTransaction();
        Store(own).GetAwaiter().GetResult();
        own.Commit();
    }

    private async Task Store(DbTransaction transaction)
    {
        // DbUp rolls back for what is thrown here. It would commit for what a handler of its event ScriptExecuted throws.
        if (await _dialect.BeforeCommit(_connection, transaction, _ct) is { } broken)
        {
            throw new MigrationException(MigrationFault.ScriptFailed, $"{_step.File.Name}: {broken}. The whole script was undone.");
        }

        await (_step.IsUpgrade
            ? Journal.Add(_connection, transaction, _step.Row, _ct)
            : Journal.Remove(_connection, transaction, _step.Script.Name, _ct));
        await Journal.Write(_connection, transaction, _step.Attempt(Outcomes.Finished), _ct);
    }

    // An upgrade takes scripts that are not in the journal, a downgrade those that are.
    private sealed class DirectionFilter(bool upgrade) : IScriptFilter
    {
        public IEnumerable<SqlScript> Filter(IEnumerable<SqlScript> sorted, HashSet<string> executedScriptNames, ScriptNameComparer comparer) =>
            sorted.Where(script => executedScriptNames.Contains(script.Name) != upgrade);
    }
}
