using System.Data.Common;
using System.Globalization;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Checks tables and indexes: size, dead rows, invalid and unused indexes.</summary>
internal static class PostgresStorage
{
    public static async Task Check(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        await CheckTables(connection, limits, report, ct);
        await CheckIndexes(connection, limits, report, ct);
    }

    private static async Task CheckTables(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        // Reading the size of a table waits for an exclusive lock on it. Such locks are exactly what this command must
        // diagnose, so the sizes of these tables are not read.
        const string Sql = """
            -- PostgresStorage.CheckTables
            with held as materialized (
                select distinct relation from pg_locks
                where locktype = 'relation' and mode = 'AccessExclusiveLock' and database = (select oid from pg_database
                    where datname = current_database())
            )
            select c.oid::regclass::text as name, s.n_live_tup as live_rows, s.n_dead_tup as dead_rows, s.last_vacuum, s.last_autovacuum,
                   case when not exists (select from held h where h.relation in (c.oid, c.reltoastrelid))
                         and not exists (select from held h join pg_index i on i.indexrelid = h.relation where i.indrelid in (c.oid,
                             c.reltoastrelid))
                        then pg_total_relation_size(c.oid) end as bytes
            from pg_stat_user_tables s
            join pg_class c on c.oid = s.relid
            order by bytes desc nulls first, name
            """;

        var tables = (await connection.QueryAsync<TableState>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
            .AsList();
        report.Tables = tables;
        var now = await connection.ExecuteScalarAsync<DateTime>(
            new CommandDefinition("select now()", commandTimeout: 10, cancellationToken: ct));
        foreach (var table in tables.Where(table => table.DeadRows > limits.DeadRows
            && table.DeadRows * 5 > table.DeadRows + table.LiveRows))
        {
            var last = new[] { table.LastVacuum, table.LastAutovacuum }.Max();
            if (last is null || last.Value.UtcDateTime < now.ToUniversalTime().AddHours(-1))
            {
                report.Add("vacuum_behind", Severity.Warning,
                    $"Table {table.Name} contains {Quantity.Number(table.DeadRows!.Value)} dead and "
                        + $"{Quantity.Number(table.LiveRows!.Value)} live rows and was "
                        + $"{(last is { } time ? $"last vacuumed {Utc(time)}" : "never vacuumed")}. It grows and becomes slower.",
                    $"Run `vacuum (analyze) {table.Name}` as its owner. If the dead rows stay, end the oldest open transactions and "
                        + "check the table's autovacuum settings.");
            }
        }
    }

    private static async Task CheckIndexes(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        // An index under construction is invalid too, so it is excluded. Scans are counted since the last reset of the
        // statistics; without a reset, at least since the start of the server.
        const string Sql = """
            -- PostgresStorage.CheckIndexes
            select c.oid::regclass::text as name, i.indrelid::regclass::text as table, i.indisvalid as valid, coalesce(s.idx_scan,
                0) as scans,
                   c.relpages::bigint * current_setting('block_size')::bigint as bytes,
                   coalesce((select stats_reset from pg_stat_database where datname = current_database()),
                       pg_postmaster_start_time()) as since
            from pg_index i
            join pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
            join pg_stat_user_indexes s on s.indexrelid = i.indexrelid
            where not i.indisvalid and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)
               or i.indisvalid and s.idx_scan = 0 and not i.indisunique and not i.indisprimary and not i.indisexclusion
                   and not i.indisreplident
                  and c.relpages::bigint * current_setting('block_size')::bigint >= @UnusedBytes
                  and coalesce((select stats_reset from pg_stat_database where datname = current_database()),
                      pg_postmaster_start_time()) <= now() - @UnusedFor
            order by bytes desc, name
            """;

        var indexes = (
            await connection.QueryAsync<IndexState>(
                new CommandDefinition(Sql, new { limits.UnusedBytes, limits.UnusedFor }, commandTimeout: 10, cancellationToken: ct)))
                    .AsList();
        report.Indexes = indexes;
        foreach (var index in indexes.Where(index => !index.Valid))
        {
            report.Add("invalid_index", Severity.Error,
                $"Index {index.Name} on {index.Table} is invalid: its build was interrupted. It slows down every write and no query "
                    + "can use it.",
                $"Run `reindex index concurrently {index.Name}` as its owner, or drop it. If a script of the Catalog builds it, "
                    + "`catalog-migrations upgrade` rebuilds it.");
        }

        if (indexes.Where(index => index.Valid).ToList() is { Count: > 0 } unused)
        {
            report.Add("unused_index", Severity.Note,
                $"{Quantity.Of(unused.Count, "index was", "indexes were")} not read since {Utc(unused[0].Since)} and "
                    + $"{(unused.Count == 1 ? "slows" : "slow")} down every write: "
                    + $"{Quantity.Few([.. unused.Select(index => $"{index.Name} ({Quantity.Size(index.Bytes)})")])}.",
                "Check whether a standby or a rare query, such as a monthly report, uses them. Drop an index of the Catalog with a "
                    + "script, another one with `drop index concurrently NAME`.");
        }
    }

    private static string Utc(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
