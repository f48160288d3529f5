namespace Catalog.Migrations.Transfer;

/// <summary>The kinds of value that a SQLite column can hold, whatever its declared type (sqlite.org/datatype3.html).</summary>
internal enum StorageClass
{
    Integer = 1,
    Real = 2,
    Text = 3,
    Blob = 4,
    Null = 5,
}

/// <summary>One value as it lies in the file. Read once, while its row is the current one.</summary>
/// <param name="class">Which of the others holds it.</param>
/// <param name="integer">Of an integer.</param>
/// <param name="real">Of a real.</param>
/// <param name="bytes">Of a text, not yet known to be UTF-8, or a blob.</param>
internal readonly ref struct StoredValue(StorageClass @class, long integer, double real, ReadOnlySpan<byte> bytes)
{
    public StorageClass Class { get; } = @class;

    public long Integer { get; } = integer;

    public double Real { get; } = real;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;
}
