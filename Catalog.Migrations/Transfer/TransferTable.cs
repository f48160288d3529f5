namespace Catalog.Migrations.Transfer;

/// <summary>The supported types of the target's columns.</summary>
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

/// <summary>A column of the target.</summary>
/// <param name="Name">Name, the same in both engines.</param>
/// <param name="Kind">Type.</param>
/// <param name="Nullable">True if null is allowed.</param>
/// <param name="MaxLength">Maximum number of characters; null for no limit.</param>
/// <param name="InKey">True for a column of the primary key.</param>
/// <param name="BytewiseOrder">True if the column's collation sorts by bytes.</param>
internal sealed record TransferColumn(string Name, ColumnKind Kind, bool Nullable, int? MaxLength, bool InKey, bool BytewiseOrder);

/// <summary>
/// A table of the target. It is read from the system catalog of the database, so a new table needs no change here.
/// </summary>
/// <param name="Name">Name, the same in both engines.</param>
/// <param name="Columns">The columns in the target's order, without generated columns.</param>
/// <param name="Key">The primary key: positions in <paramref name="Columns"/>, in the order of the key.</param>
/// <param name="Checks">The check constraints, each with the positions of its columns.</param>
/// <param name="Indexes">The indexes, each with the positions of its columns. Indexed expressions are left out.</param>
/// <param name="References">The tables that foreign keys refer to.</param>
internal sealed record TransferTable(
    string Name,
    IReadOnlyList<TransferColumn> Columns,
    IReadOnlyList<int> Key,
    IReadOnlyList<(string Name, IReadOnlyList<int> Columns)> Checks,
    IReadOnlyList<(string Name, IReadOnlyList<int> Columns)> Indexes,
    IReadOnlyList<string> References)
{
    /// <summary>Quotes an identifier for both engines.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
