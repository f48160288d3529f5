namespace Catalog.Migrations.Transfer;

/// <summary>
/// SQLite's storage classes. A column can contain values of every class, whatever its declared type is
/// (sqlite.org/datatype3.html).
/// </summary>
internal enum StorageClass
{
    Integer = 1,
    Real = 2,
    Text = 3,
    Blob = 4,
    Null = 5,
}

/// <summary>One value as stored in the file, valid while its row is the current row.</summary>
/// <param name="class">The storage class, which decides which of the other parameters is used.</param>
/// <param name="integer">The value of an integer.</param>
/// <param name="real">The value of a real.</param>
/// <param name="bytes">The bytes of a blob or a text; a text can be invalid UTF-8.</param>
internal readonly ref struct StoredValue(StorageClass @class, long integer, double real, ReadOnlySpan<byte> bytes)
{
    public StorageClass Class { get; } = @class;

    public long Integer { get; } = integer;

    public double Real { get; } = real;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;
}
