using System.Text.Json;
using Catalog.Data.Executions.Kinds;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>Reads a few of the rows that violate a check.</summary>
internal static class CheckSamples
{
    private const int MaxText = 200;

    /// <summary>Reads the sample of a check as a JSON array of objects.</summary>
    /// <param name="session">The warehouse.</param>
    /// <param name="check">The check.</param>
    /// <param name="pii">Columns that are never read.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>Null when no column of the check may be shown, or the kind judges no rows.</returns>
    public static async Task<string?> Read(WarehouseSession session, CheckDefinition check, IReadOnlySet<string> pii, CancellationToken ct)
    {
        var columns = check.Kind.SampleColumns.Where(column => !pii.Contains(column, StringComparer.OrdinalIgnoreCase)
            && !check.SampleDeny.Contains(column, StringComparer.OrdinalIgnoreCase)).Distinct(StringComparer.Ordinal).ToList();
        if (check.Kind.Violation is not { } violation || columns.Count == 0)
        {
            return null;
        }

        var filter = check.Where is null ? violation(session.Sql) : $"({check.Where}) and ({violation(session.Sql)})";
        var rows = await session.Query(session.Sql.Limit(
            $"select {string.Join(", ", columns.Select(session.Sql.Quote))} from {session.Sql.Table(check.Table)} where {filter}",
            check.Samples), ct);
        return $"[{string.Join(',', rows.Rows.Select(row => $"{{{string.Join(',', columns.Zip(row, Member))}}}"))}]";
    }

    /// <summary>A value whose text is cut when it is long.</summary>
    public static object? Cut(object? value) => value is string { Length: > MaxText } text
        ? $"{text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)]}…" : value;

    private static string Member(string column, object? value) => $"{JsonSerializer.Serialize(column)}:{Measured.Json(Cut(value))}";
}
