using System.Text.Json;
using Catalog.Data.Executions.Kinds;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>The sample of a check, or why there is none.</summary>
/// <param name="Rows">The rows as a JSON array of objects; null when there is no sample.</param>
/// <param name="LeftOut">The text after "No sample is kept: "; null when there is a sample.</param>
internal sealed record CheckSample(string? Rows, string? LeftOut);

/// <summary>Reads a few of the rows that violate a check.</summary>
internal static class CheckSamples
{
    private const int MaxText = 200;

    /// <summary>
    /// Reads the sample of a check. If the statement of the sample fails, the verdict stands without a sample.
    /// </summary>
    /// <param name="session">The warehouse.</param>
    /// <param name="check">A check whose kind judges each row.</param>
    /// <param name="hidden">Columns that are never read.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<CheckSample> Read(ReopenedSession session, CheckDefinition check, HiddenColumns hidden, CancellationToken ct)
    {
        if (check.Kind.SampleColumns.Count == 0)
        {
            return new(null, "the definition names no column to show. Set column or columns.");
        }

        var columns = check.Kind.SampleColumns.Where(column => !hidden.Contains(column)).Distinct(StringComparer.Ordinal).ToList();
        if (columns.Count == 0)
        {
            return new(null, hidden.All ?? "all its columns are tagged pii or named in sample_deny.");
        }

        try
        {
            return new(await Read(await session.Get(ct), check, columns, ct), null);
        }
        catch (WarehouseException failure)
        {
            await session.Close();
            return new(null, failure.Message);
        }
    }

    private static async Task<string> Read(WarehouseSession session, CheckDefinition check, List<string> columns, CancellationToken ct)
    {
        var violation = check.Kind.Violation!(session.Sql);
        var filter = check.Where is null ? violation : $"({check.Where}) and ({violation})";
        var rows = await session.Query(session.Sql.Limit(
            $"select {string.Join(", ", columns.Select(session.Sql.Quote))} from {session.Sql.Table(check.Table)} where {filter}",
            check.Samples), ct);
        return $"[{string.Join(',', rows.Rows.Select(row => $"{{{string.Join(',', columns.Zip(row, Member))}}}"))}]";
    }

    /// <summary>Cuts a text of more than 200 characters. Other values do not change.</summary>
    public static object? Cut(object? value) => value is string { Length: > MaxText } text
        ? $"{StoredText.Cut(text, MaxText)}…" : value;

    private static string Member(string column, object? value) => $"{JsonSerializer.Serialize(column)}:{MeasuredValues.Json(Cut(value))}";
}
