namespace Catalog.Migrations.Transfer;

/// <summary>The types of the target's columns that rows can be moved into.</summary>
internal enum ColumnKind
{
    Text,
    Boolean,
    Int16,
    Int32,
    Int64,
    Double,

    /// <summary>timestamptz: microseconds since 2000-01-01 UTC.</summary>
    Instant,
    Uuid,
    Bytes,
}

/// <summary>One column as the target declares it.</summary>
/// <param name="Name">As both engines spell it.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Nullable">Whether it may be empty.</param>
/// <param name="MaxLength">The most characters; null: no limit.</param>
/// <param name="InKey">Whether it is part of the primary key.</param>
/// <param name="BytewiseOrder">Whether the target itself sorts it by its bytes; false where another collation is declared.</param>
internal sealed record TransferColumn(string Name, ColumnKind Kind, bool Nullable, int? MaxLength, bool InKey, bool BytewiseOrder);

/// <summary>One table as the target declares it: its columns come from the catalog, so that a new table needs no code here.</summary>
/// <param name="Name">As both engines spell it.</param>
/// <param name="Columns">In the target's order; generated ones are left out.</param>
/// <param name="Key">The places in <paramref name="Columns"/> of the primary key's columns, in the key's order.</param>
/// <param name="Checks">Each check constraint with the places of the columns that it judges together.</param>
/// <param name="Indexes">Each index with the places of its columns; expressions are left out.</param>
/// <param name="References">The tables that it refers to by foreign keys.</param>
internal sealed record TransferTable(
    string Name,
    IReadOnlyList<TransferColumn> Columns,
    IReadOnlyList<int> Key,
    IReadOnlyList<(string Name, IReadOnlyList<int> Columns)> Checks,
    IReadOnlyList<(string Name, IReadOnlyList<int> Columns)> Indexes,
    IReadOnlyList<string> References)
{
    /// <summary>A name as both engines read it, whatever it holds.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
