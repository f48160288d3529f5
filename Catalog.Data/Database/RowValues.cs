using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>Values of a row that may be null, read as what they are: an object for each would cost lists more than their query.</summary>
internal static class RowValues
{
    public static string? TextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? CountOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static double? NumberOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);
}
