using System.Runtime.InteropServices;
using SQLitePCL;

namespace Catalog.Data.Database.Sqlite;

/// <summary>Chooses the native library: on Linux the system's where it is newer than ours (the distribution patches it), else the bundled one.</summary>
internal static class SqliteLibrary
{
    private const int Bundled = 3_035_005;
    private static readonly Lock Once = new();
    private static bool _loaded;

    public static void Load()
    {
        lock (Once)
        {
            if (_loaded)
            {
                return;
            }

            var system = System();
            // One library for the driver and for SqliteNative: a statement of one copy means nothing to another.
            foreach (var assembly in new[] { typeof(SQLite3Provider_e_sqlite3).Assembly, typeof(SqliteLibrary).Assembly })
            {
                NativeLibrary.SetDllImportResolver(assembly, (name, _, _) => name == "e_sqlite3" ? system : 0);
            }

            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            _loaded = true;
        }
    }

    // Zero leaves the choice to the runtime, which finds the bundled library.
    private static nint System()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libsqlite3.so.0", out var library))
        {
            return 0;
        }

        var version = Marshal.GetDelegateForFunctionPointer<VersionNumber>(NativeLibrary.GetExport(library, "sqlite3_libversion_number"));
        if (version() > Bundled)
        {
            return library;
        }

        NativeLibrary.Free(library);
        return 0;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int VersionNumber();
}
