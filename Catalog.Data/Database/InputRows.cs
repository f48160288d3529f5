namespace Catalog.Data.Database;

/// <summary>
/// A set of rows that a statement reads as the table <c>rows</c>. Postgres receives one array per column and reads the
/// arrays with <c>unnest</c>; a single row is sent as plain parameters. SQLite runs the prepared statement once per
/// row, which is faster because it runs in the same process.
/// </summary>
/// <typeparam name="T">The type of the items that the rows are built from.</typeparam>
public sealed class InputRows<T>(params Column<T>[] columns)
{
    internal Column<T>[] Columns { get; } = columns;

    internal string[] Names { get; } = [.. columns.Select(column => column.Name)];
}

/// <summary>
/// One column of <see cref="InputRows{T}"/>: its name, used for the SQL column and the parameter, and its value for
/// each item.
/// </summary>
public abstract class Column<T>(string name)
{
    internal string Name { get; } = name;

    /// <summary>The values of the column, one per item. The element type of the array selects the SQL type.</summary>
    internal abstract Array ToArray(IReadOnlyList<T> items);

    /// <summary>The value of the column for one item.</summary>
    internal abstract object? Value(T item);
}

/// <summary>A column with values of type <typeparamref name="TValue"/>.</summary>
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
