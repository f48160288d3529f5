namespace Catalog.Bench.Load;

/// <summary>
/// Statements on check_results. Their rows equal those that a post of <see cref="ResultBody"/> stores, but the server
/// generates them.
/// </summary>
internal static class ResultSql
{
    public const string Columns = """
        id, pipeline_id, check_id, run_id, status, severity, dataset, observed_value, observed_number, expected, failed_rows, total_rows,
        message, executed_at, duration_seconds, metadata, request_hash, created_at
        """;

    /// <summary>The reference for single posts. Ids ascend with time, as the ids of the service do.</summary>
    public static string InsertOne(string organization, string table = "check_results") => $"""
        \set n random(1, 1000000)
        \set r random(1, 9000000000000000000)
        insert into {table} (organization_id, {Columns}, dataset_key)
        values ('{organization}', {Ascending(":r")}, {Values(":n::int", "now()")});
        """;

    /// <summary>
    /// Creates a table for the same rows with three indexes only: the key, time and run. It is what a team would write
    /// without lists by check, dataset and status.
    /// </summary>
    public static string CreateTableWithThreeIndexes(string table) => $"""
        create table {table} (like check_results including constraints);
        alter table {table} add primary key (organization_id, id);
        create index on {table} (organization_id, executed_at, id);
        create index on {table} (organization_id, run_id);
        """;

    /// <summary>The reference for bulk posts: one statement that inserts this number of rows.</summary>
    public static string InsertMany(string organization, int rows) => $"""
        \set n random(1, 1000000)
        \set r random(1, 9000000000000000000)
        insert into check_results (organization_id, {Columns}, dataset_key)
        select '{organization}', {Ascending(":r + i")}, {Values("(:n::int + i)", "now()")}
        from generate_series(1, {rows}) as i;
        """;

    /// <summary>Inserts results that were executed one second apart, with the ids of <see cref="Id"/>.</summary>
    public static string Preload(string organization, int from, int to) => $"""
        insert into check_results (organization_id, {Columns}, dataset_key)
        select '{organization}', '{IdPrefix}' || lpad(to_hex(i), 12, '0'), {Values("i", "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second'")}
        from generate_series({from}, {to}) as i
        """;

    public static string Id(int number) => $"{IdPrefix}{number:x12}";

    /// <summary>The reference for single reads.</summary>
    public static string SelectOne(string organization, int rows) => $"""
        \set n random(1, {rows})
        select {Columns}
        from check_results
        where organization_id = '{organization}' and id = '{IdPrefix}' || lpad(to_hex(:n::int), 12, '0');
        """;

    /// <summary>
    /// The reference for lists: a page of 50 results, and one more row to find out whether a next page exists.
    /// </summary>
    public static string SelectPage(string organization, int rows) => $"""
        \set n random(100, {rows})
        select {Columns}
        from check_results
        where organization_id = '{organization}' and (executed_at,
            id) < (timestamptz '2026-01-01 00:00:00+00' + :n::int * interval '1 second', '')
        order by executed_at desc, id desc
        limit 51;
        """;

    private const string IdPrefix = "01900000-0000-7000-8000-";

    private static string Ascending(string random) =>
        "lpad(to_hex((date_part('epoch', clock_timestamp()) * 1000000)::bigint), 14, '0') || '-7000-' || "
            + $"lpad(to_hex({random}::bigint), 16, '0')";

    // The values of all columns after id, then dataset_key.
    private static string Values(string n, string time) => $$"""
        'daily_orders_' || ({{n}} % {{ResultBody.Pipelines}}), 'orders_row_count_' || ({{n}} % 100), 'scheduled__2026-01-01T' || lpad(({{n}} % 1000)::text, 6, '0'),
            'pass', 'error', 'warehouse.sales.orders_' || ({{n}} % 200), ({{n}} % 100003)::text, {{n}} % 100003, '{"min":1000,"max":100003}', 0, {{n}},
            'row count of the last load lies within the bounds that the owners of the table agreed on in spring', {{time}}, 0.412,
            '{"task":"check_orders","attempt":1,"worker":"worker-1"}', '\x5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9', {{time}},
            md5(({{n}} % 200)::text)::uuid
        """;
}
