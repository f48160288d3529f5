using System.Data.Common;
using Dapper;

namespace Catalog.Data.Database;

/// <summary>
/// One statement over a set of rows. Several statements can be sent together. Each statement stores its results.
/// </summary>
public abstract class Statement(string organization, string sql)
{
    internal string Organization => organization;

    internal string Sql => sql;

    /// <summary>
    /// The SQL that sets the context, sent in the same round trip; null when the context is already set or not needed.
    /// </summary>
    internal ContextSql? ContextSql { get; set; }

    internal abstract int Count { get; }

    internal abstract bool ReturnsRows { get; }

    internal abstract IReadOnlyList<string> Names { get; }

    /// <summary>The values of a column, one per row. The element type of the array selects the SQL type.</summary>
    internal abstract Array Values(int column);

    /// <summary>The value of a column in one row.</summary>
    internal abstract object? Value(int row, int column);

    /// <summary>Removes the results of an earlier attempt.</summary>
    internal abstract void ClearResults();

    /// <summary>Stores the current row of the reader as a result.</summary>
    internal abstract void AddResult(DbDataReader reader);
}

/// <summary>The result type of a <see cref="Statement{T, TResult}"/> that returns no rows.</summary>
public readonly record struct NoResult;

/// <summary>A statement that reads the table <c>rows</c> and returns rows of one type.</summary>
/// <param name="organization">The organization whose context is set; also the parameter <c>@organization</c>.</param>
/// <param name="sql">The statement.</param>
/// <param name="rows">The columns of the table <c>rows</c>.</param>
/// <param name="items">The items that the rows are built from.</param>
public sealed class Statement<T, TResult>(string organization, string sql, InputRows<T> rows, IReadOnlyList<T> items)
    : Statement(organization, sql)
{
    private Func<DbDataReader, object>? _parse;

    /// <summary>The returned rows, in no guaranteed order.</summary>
    public List<TResult> Results { get; } = [];

    internal override int Count => items.Count;

    internal override bool ReturnsRows => typeof(TResult) != typeof(NoResult);

    internal override IReadOnlyList<string> Names => rows.Names;

    internal override Array Values(int column) => rows.Columns[column].ToArray(items);

    internal override object? Value(int row, int column) => rows.Columns[column].Value(items[row]);

    internal override void ClearResults() => Results.Clear();

    internal override void AddResult(DbDataReader reader)
    {
        _parse ??= reader.GetRowParser(typeof(TResult));
        Results.Add((TResult)_parse(reader));
    }
}
