using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Checks;

/// <summary>
/// The columns of the table <c>check_results</c>: their names, the values that are stored, and how a row is read.
/// </summary>
internal static class CheckResultTable
{
    /// <summary>The columns that <see cref="Read"/> reads, in the same order.</summary>
    public const string Columns = """
        id, pipeline_id, check_id, run_id, status, severity, dataset, observed_value, observed_number, expected, failed_rows, total_rows,
        message, executed_at, duration_seconds, metadata, created_at
        """;

    /// <summary>The columns of <see cref="Rows"/>. Clients never see the last two columns.</summary>
    public const string StoredColumns = $"{Columns}, dataset_key, request_hash";

    /// <summary>The stored value of each column.</summary>
    public static readonly InputRows<CheckResult> Rows = new(
        new Column<CheckResult, string>("id", result => result.Id),
        new Column<CheckResult, string>("pipeline_id", result => result.PipelineId),
        new Column<CheckResult, string>("check_id", result => result.CheckId),
        new Column<CheckResult, string?>("run_id", result => result.RunId),
        new Column<CheckResult, string>("status", result => result.Status),
        new Column<CheckResult, string>("severity", result => result.Severity),
        new Column<CheckResult, string?>("dataset", result => result.Dataset),
        new Column<CheckResult, string?>("observed_value", result => result.ObservedValue),
        new Column<CheckResult, double?>("observed_number", result => result.ObservedNumber),
        new Column<CheckResult, string?>("expected", result => result.Expected),
        new Column<CheckResult, long?>("failed_rows", result => result.FailedRows),
        new Column<CheckResult, long?>("total_rows", result => result.TotalRows),
        new Column<CheckResult, string?>("message", result => result.Message),
        new Column<CheckResult, DateTimeOffset>("executed_at", result => result.ExecutedAt),
        new Column<CheckResult, double?>("duration_seconds", result => result.DurationSeconds),
        new Column<CheckResult, string?>("metadata", result => result.Metadata),
        new Column<CheckResult, DateTimeOffset>("created_at", result => result.CreatedAt),
        new Column<CheckResult, Guid?>("dataset_key", result => result.Dataset is { } dataset ? DatasetId.Of(dataset) : null),
        new Column<CheckResult, byte[]>("request_hash", result => result.RequestHash));

    /// <summary>
    /// Reads a row of <see cref="Columns"/>. The method reads each column itself, which is faster, because lists of
    /// results are read most often.
    /// </summary>
    public static CheckResult Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        PipelineId = row.GetString(1),
        CheckId = row.GetString(2),
        RunId = row.TextOrNull(3),
        Status = row.GetString(4),
        Severity = row.GetString(5),
        Dataset = row.TextOrNull(6),
        ObservedValue = row.TextOrNull(7),
        ObservedNumber = row.NumberOrNull(8),
        Expected = row.TextOrNull(9),
        FailedRows = row.CountOrNull(10),
        TotalRows = row.CountOrNull(11),
        Message = row.TextOrNull(12),
        ExecutedAt = row.GetFieldValue<DateTimeOffset>(13),
        DurationSeconds = row.NumberOrNull(14),
        Metadata = row.TextOrNull(15),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(16),
    };
}
