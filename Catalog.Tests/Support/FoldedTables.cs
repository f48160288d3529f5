using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Tests.Support;

/// <summary>The tables that events of other tools are folded into, without the columns that depend on their receipt.</summary>
public static class FoldedTables
{
    private static readonly string[] Tables =
    [
        "select id, current_version, description, owner, deleted_at from pipelines",
        """
        select id, pipeline_id, status, reported_status, started_at, completed_at, records_processed, error_message, gate_check_id
        from runs
        """,
        "select run_id, stage_name, status, started_at, completed_at, records_processed, error_message from run_stages",
        """
        select id, pipeline_id, check_id, run_id, status, severity, dataset, observed_value, expected, failed_rows, message, executed_at
        from check_results
        """,
        "select pipeline_id, check_id, result_id, status from check_states",
        "select pipeline_id, id, pipeline_version, dataset, kind, severity, definition, updated_at from checks",
        "select id, namespace, name from datasets",
        "select subject, subject_id, facet, value, first_at, last_at from facets",
        "select run_id, pipeline_id, first_at, last_at, completed, has_edges from lineage_runs",
        "select run_id, direction, dataset, first_at, last_at, row_count, measured_at from run_datasets",
        "select upstream, downstream, pipeline_id, valid_from, valid_to, last_at from lineage_edges",
        "select place, facet, reason, events from unread_facets",
    ];

    /// <summary>All rows as text, sorted within each table.</summary>
    public static async Task<string> Read(TestDatabase database)
    {
        await using var migrations = MigrationDatabase.Open(database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        List<string> rows = [];
        foreach (var sql in Tables)
        {
            List<string> table = [];
            foreach (IDictionary<string, object?> row in await connection.QueryAsync(sql))
            {
                table.Add(string.Join(" | ", row.Values.Select(Text)));
            }

            rows.Add(sql);
            rows.AddRange(table.Order(StringComparer.Ordinal));
        }

        return string.Join('\n', rows);
    }

    /// <summary>The bodies in the log of an organization.</summary>
    public static async Task<string> Bodies(this TestDatabase database, string organization)
    {
        await using var migrations = MigrationDatabase.Open(database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return string.Join('\n', await connection.QueryAsync<string>(
            "select body from lineage_events where organization_id = @organization", new { organization }));
    }

    private static string Text(object? value) => value switch
    {
        null => "null",
        byte[] bytes => Convert.ToHexString(bytes),
        DateTime time => time.ToString("O", null),
        IFormattable number => number.ToString(null, null),
        _ => value.ToString()!,
    };
}
