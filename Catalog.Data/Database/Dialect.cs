using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>
/// The differences between Postgres and SQLite. SQL that works on both engines belongs in a repository.
/// </summary>
public abstract class Dialect
{
    /// <summary>A condition: <paramref name="column"/> equals one of the values of a list parameter.</summary>
    public abstract string IsAnyOf(string column, string parameter);

    /// <summary>
    /// Marks a condition that few rows meet, so that the planner prefers an index that begins with the column of this
    /// condition.
    /// </summary>
    public abstract string Selective(string condition);

    /// <summary>
    /// The rows of a table whose <paramref name="key"/> equals one of the values of a list parameter, as a table with
    /// the same name. The database looks up each value in the index. Use it for long lists: with <see cref="IsAnyOf"/>
    /// and hundreds of values, a planner can scan the whole table.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="where">Further conditions on its rows; column names without the table name.</param>
    /// <param name="key">An indexed column.</param>
    /// <param name="parameter">The list parameter.</param>
    public abstract string ByIndex(string table, string where, string key, string parameter);

    /// <summary>
    /// The values of a list parameter as the column <paramref name="key"/> of <paramref name="table"/>, for a join with
    /// another table. Postgres does not read the table, so values that are not in the table are included. SQLite leaves
    /// these values out.
    /// </summary>
    /// <param name="table">A table with one row for each value.</param>
    /// <param name="where">Further conditions on its rows; column names without the table name.</param>
    /// <param name="key">An indexed column.</param>
    /// <param name="parameter">The list parameter.</param>
    public abstract string Keys(string table, string where, string key, string parameter);

    /// <summary>
    /// A join with the rows of a table whose <paramref name="key"/> equals <paramref name="value"/>. The database looks
    /// up each value in the index.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="where">Further conditions on its rows; column names without the table name.</param>
    /// <param name="key">An indexed column.</param>
    /// <param name="value">The qualified name of a column of the tables before the join.</param>
    public abstract string JoinByIndex(string table, string where, string key, string value);

    /// <summary>Like <see cref="JoinByIndex"/>, but also locks the rows until the transaction ends.</summary>
    /// <inheritdoc cref="JoinByIndex" path="/param"/>
    public abstract string LockByIndex(string table, string where, string key, string value);

    /// <summary>
    /// A join with the first rows of a table in the given order, for each row of the tables before the join. For each
    /// of those rows, the database reads only the beginning of an index range.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="where">
    /// Conditions on its rows. Write the columns of this table without the table name, and those of the tables before
    /// the join with their table name.
    /// </param>
    /// <param name="order">The order of an index; column names without the table name.</param>
    /// <param name="take">The maximum number of rows: a number or a parameter.</param>
    public abstract string JoinFirst(string table, string where, string order, string take);

    /// <summary>The start of the hour, in UTC, of a time column.</summary>
    public abstract string HourOf(string column);

    /// <summary>The maximum number of values in a list parameter.</summary>
    public abstract int ListLimit { get; }

    /// <summary>
    /// Whether a common table expression can insert, so that one statement stores rows in several tables.
    /// </summary>
    public abstract bool InsertsInExpressions { get; }

    /// <summary>
    /// The clause that makes a query lock the rows it reads, in reading order, until the transaction ends; empty on an
    /// engine that does not need it.
    /// </summary>
    public abstract string ForUpdate { get; }

    /// <summary>
    /// Like <see cref="ForUpdate"/>, but rows that another transaction has locked are left out of the result.
    /// </summary>
    public abstract string ForUpdateSkipLocked { get; }

    /// <summary>
    /// Runs statements in order, in one round trip on Postgres, each after the SQL that sets its context.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="transaction">
    /// The transaction to use; null to run the statements in a new one, which is committed.
    /// </param>
    /// <param name="statements">At least one statement; each has at least one row.</param>
    /// <param name="ct">Cancels the operation.</param>
    internal abstract Task Send(DbConnection connection, DbTransaction? transaction, IReadOnlyList<Statement> statements,
        CancellationToken ct);

    /// <summary>
    /// The text of a statement with the table <c>rows</c> defined before it, as a common table expression.
    /// </summary>
    /// <param name="statement">The statement.</param>
    /// <param name="select">The select list that returns the rows.</param>
    private protected static string WithRows(Statement statement, string select)
    {
        // The comment with the statement's name stays first, so that server views and logs show it.
        var (name, sql) = statement.Sql.StartsWith("--", StringComparison.Ordinal) && statement.Sql.IndexOf('\n', StringComparison.Ordinal)
            + 1 is > 0 and var end
            ? (statement.Sql[..end], statement.Sql[end..])
            : ("", statement.Sql);
        return $"{name}with rows ({string.Join(", ", statement.Names)}) as (select {select})\n{sql}";
    }

    /// <summary>The SQL that sets an organization's context before its statements; null when none is needed.</summary>
    internal virtual ValueTask<ContextSql?> ContextSql(CancellationToken ct) => default;

    /// <summary>The SQL that sets the context of a lookup; null when none is needed.</summary>
    internal virtual ValueTask<ContextSql?> ContextSql(LookUp by, CancellationToken ct) => default;

    /// <summary>
    /// Whether the database itself isolates organizations; null on an engine without row-level security.
    /// </summary>
    internal virtual Task<RowSecurityStatus?> Isolation(CancellationToken ct) => Task.FromResult<RowSecurityStatus?>(null);

    /// <summary>
    /// Cleans a connection after a failure, so that the pool can reuse it, or removes it from the pool.
    /// </summary>
    internal virtual void ResetAfterFailure(DbConnection connection, Exception failure)
    {
    }

    /// <summary>
    /// Whether an operation that failed with this error, and stored nothing, can succeed on another connection. This is
    /// so when the connection was lost while it was idle in the pool, or when its session had wrong settings.
    /// </summary>
    internal virtual bool IsRetryable(Exception failure) => false;

    /// <summary>Why the database cannot serve now; null when the exception has another cause.</summary>
    public abstract Unavailability? Classify(Exception exception);
}
