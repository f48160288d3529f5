using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>
/// Reads nullable columns without boxing. In long lists, boxing takes more time than the query itself.
/// </summary>
internal static class RowValues
{
    public static string? TextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? CountOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static double? NumberOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);
}
