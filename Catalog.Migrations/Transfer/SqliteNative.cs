using System.Runtime.InteropServices;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// Direct calls of the five SQLite functions that a scan of a file needs for each value. The driver's wrappers count
/// the references of a handle for each call, which made such a scan more than twice as slow.
/// </summary>
internal static unsafe partial class SqliteNative
{
    private const string Library = "e_sqlite3";

    [LibraryImport(Library, EntryPoint = "sqlite3_column_type"), SuppressGCTransition]
    public static partial int Type(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_int64"), SuppressGCTransition]
    public static partial long Integer(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_double"), SuppressGCTransition]
    public static partial double Real(nint statement, int column);

    /// <summary>Returns the bytes of a text or blob, valid until the statement's next step.</summary>
    public static ReadOnlySpan<byte> Bytes(nint statement, int column)
    {
        var bytes = Blob(statement, column);
        return new(bytes, Length(statement, column));
    }

    // This call has no SuppressGCTransition: it can read pages of the file, and would then block garbage collection.
    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob")]
    private static partial void* Blob(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes"), SuppressGCTransition]
    private static partial int Length(nint statement, int column);
}
