namespace Catalog.Data.Database;

/// <summary>
/// A set of rows handed to a statement, which reads it as the table <c>rows</c>. Postgres receives an array for each column and reads them
/// with <c>unnest</c>, a lone row as it is; SQLite runs the prepared statement once for each row, which in-process is the faster way.
/// </summary>
/// <typeparam name="T">What a row is made from.</typeparam>
public sealed class Rows<T>(params Column<T>[] columns)
{
    internal Column<T>[] Columns { get; } = columns;

    internal string[] Names { get; } = [.. columns.Select(column => column.Name)];
}

/// <summary>One column of <see cref="Rows{T}"/>: its name in SQL, which is also its parameter's, and how a row gives its value.</summary>
public abstract class Column<T>(string name)
{
    internal string Name { get; } = name;

    /// <summary>The column's values, one for each item, as an array whose element type names the SQL type.</summary>
    internal abstract Array ToArray(IReadOnlyList<T> items);

    /// <summary>One row's value.</summary>
    internal abstract object? Value(T item);
}

/// <summary>A column of values of one type.</summary>
public sealed class Column<T, TValue>(string name, Func<T, TValue> value) : Column<T>(name)
{
    internal override Array ToArray(IReadOnlyList<T> items)
    {
        var values = new TValue[items.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = value(items[i]);
        }

        return values;
    }

    internal override object? Value(T item) => value(item);
}
