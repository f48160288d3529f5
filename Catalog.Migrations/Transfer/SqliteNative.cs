using System.Runtime.InteropServices;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// The five calls that a scan of a whole file makes for each value. The driver's own wrap each in a handle's reference count, which
/// made such a scan more than twice as long.
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

    /// <summary>The bytes of a text or a blob, valid until the statement's next step.</summary>
    public static ReadOnlySpan<byte> Bytes(nint statement, int column)
    {
        var bytes = Blob(statement, column);
        return new(bytes, Length(statement, column));
    }

    // May read pages of the file, so it lets the collector go on meanwhile.
    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob")]
    private static partial void* Blob(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes"), SuppressGCTransition]
    private static partial int Length(nint statement, int column);
}
