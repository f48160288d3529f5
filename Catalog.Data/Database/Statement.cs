using System.Data.Common;
using Dapper;

namespace Catalog.Data.Database;

/// <summary>One statement over rows, of several that are sent together; afterwards it holds what it returned.</summary>
public abstract class Statement(string organization, string sql)
{
    internal string Organization => organization;

    internal string Sql => sql;

    /// <summary>What goes before it in the same trip, to set its context; null: the context is there already, or none is needed.</summary>
    internal string? Before { get; set; }

    internal abstract int Count { get; }

    internal abstract bool Returns { get; }

    internal abstract IReadOnlyList<string> Names { get; }

    /// <summary>A column's values, one for each row, as an array whose element type names the SQL type.</summary>
    internal abstract Array Values(int column);

    /// <summary>One row's value of a column.</summary>
    internal abstract object? Value(int row, int column);

    /// <summary>Forgets what an earlier try returned.</summary>
    internal abstract void Forget();

    /// <summary>Keeps the row that the reader stands on.</summary>
    internal abstract void Keep(DbDataReader reader);
}

/// <summary>Says of a <see cref="Statement{T, TResult}"/> that it returns no rows.</summary>
public readonly record struct Nothing;

/// <summary>A statement that reads the table <c>rows</c> and returns rows of one type.</summary>
/// <param name="organization">In whose context it runs; its parameter <c>@organization</c>.</param>
/// <param name="sql">The statement.</param>
/// <param name="rows">The columns of its rows.</param>
/// <param name="items">What the rows are made from.</param>
public sealed class Statement<T, TResult>(string organization, string sql, Rows<T> rows, IReadOnlyList<T> items) : Statement(organization, sql)
{
    private Func<DbDataReader, object>? _parse;

    /// <summary>What it returned, in no promised order.</summary>
    public List<TResult> Results { get; } = [];

    internal override int Count => items.Count;

    internal override bool Returns => typeof(TResult) != typeof(Nothing);

    internal override IReadOnlyList<string> Names => rows.Names;

    internal override Array Values(int column) => rows.Columns[column].ToArray(items);

    internal override object? Value(int row, int column) => rows.Columns[column].Value(items[row]);

    internal override void Forget() => Results.Clear();

    internal override void Keep(DbDataReader reader)
    {
        _parse ??= reader.GetRowParser(typeof(TResult));
        Results.Add((TResult)_parse(reader));
    }
}
