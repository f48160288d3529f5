using System.Globalization;
using System.Runtime.InteropServices;
using DuckDB.NET.Native;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Finds the columns of a statement whose numbers the driver cannot read. The driver reads decimals of up to 28 digits,
/// but decimals of DuckDB have up to 38 digits.
/// </summary>
internal static partial class DuckDbColumns
{
    private const int MostDigits = 28;

    /// <summary>
    /// Changes a statement so that it returns these columns as text. A statement without such columns stays the same.
    /// </summary>
    /// <param name="sql">The statement.</param>
    /// <param name="prepared">The prepared statement.</param>
    /// <returns>The statement, and the indexes of the columns that contain numbers as text.</returns>
    public static (string Sql, IReadOnlySet<int> Numbers) Readable(string sql, DuckDBPreparedStatement prepared)
    {
        var count = (int)CountOf(prepared);
        var wide = Enumerable.Range(0, count).Where(column => IsWide(prepared, (ulong)column)).ToHashSet();
        if (wide.Count == 0)
        {
            return (sql, wide);
        }

        static string Name(int column) => string.Create(CultureInfo.InvariantCulture, $"c{column}");
        var names = string.Join(", ", Enumerable.Range(0, count).Select(Name));
        var columns = Enumerable.Range(0, count).Select(column =>
            wide.Contains(column) ? $"cast({Name(column)} as varchar) as {Name(column)}" : Name(column));
        return ($"select {string.Join(", ", columns)} from (\n{sql}\n) as wide({names})", wide);
    }

    private static bool IsWide(DuckDBPreparedStatement prepared, ulong column)
    {
        var type = TypeOf(prepared, column);
        try
        {
            return type != 0 && IdOf(type) == (int)DuckDBType.Decimal && WidthOf(type) > MostDigits;
        }
        finally
        {
            Destroy(ref type);
        }
    }

    // The driver has no methods for these functions of DuckDB.
    [LibraryImport("duckdb", EntryPoint = "duckdb_prepared_statement_column_count")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial ulong CountOf(DuckDBPreparedStatement statement);

    [LibraryImport("duckdb", EntryPoint = "duckdb_prepared_statement_column_logical_type")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint TypeOf(DuckDBPreparedStatement statement, ulong column);

    [LibraryImport("duckdb", EntryPoint = "duckdb_get_type_id")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int IdOf(nint type);

    [LibraryImport("duckdb", EntryPoint = "duckdb_decimal_width")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial byte WidthOf(nint type);

    [LibraryImport("duckdb", EntryPoint = "duckdb_destroy_logical_type")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void Destroy(ref nint type);
}
