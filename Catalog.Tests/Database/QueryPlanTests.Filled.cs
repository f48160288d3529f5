using System.Text.Json;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Database;

public sealed partial class QueryPlanTests
{
    /// <summary>A database of 100,000 runs, results and edges, with up-to-date planner statistics.</summary>
    public sealed class Filled : IAsyncLifetime
    {
        private readonly PostgresTestDatabase _database = new();
        private NpgsqlDataSource? _source;
        private PostgresPool? _pool;

        public async ValueTask InitializeAsync()
        {
            await _database.InitializeAsync();
            _database.Require();
            _source = NpgsqlDataSource.Create(Settings().ConnectionString);
            await using var connection = await _source.OpenConnectionAsync();
            await connection.ExecuteAsync("""
                create function pg_temp.did(i bigint) returns uuid language sql as $$ select substr(encode(sha256('\x00'::bytea || convert_to('d' || i, 'utf8')), 'hex'), 1, 32)::uuid $$;
                insert into pipelines select 'default', 'p' || i, '1', null, 'o' || i % 4, case i % 2 when 0 then 'prod' else 'test' end, case when i % 2 = 0 then '0 6 * * *' end, 'p' || i, '2026-01-01'::timestamptz + i * interval '4 minutes', '2026-01-01', null from generate_series(1, 10000) i;
                insert into pipelines select 'default', 'x' || i, '1', null, 'o', null, null, 'x' || i, '2026-01-01'::timestamptz + i * interval '4 minutes', '2026-01-01', '2026-02-01' from generate_series(1, 500) i;
                insert into pipeline_versions select 'default', 'p' || i, '1', '{}', '\x00', '2026-01-01' from generate_series(1, 10000) i;
                insert into pipeline_versions select 'default', 'p78', 'v' || i, '{}', '\x00', '2026-01-01'::timestamptz + i * interval '4 minutes' from generate_series(1, 10000) i;
                insert into lineage_events select 'default', 'openlineage', decode(lpad(to_hex(i), 64, '0'), 'hex'), null, null, '2026-01-01', '{}', '2026-01-01' from generate_series(1, 100000) i;
                insert into api_keys select 'default', 'a' || i, 'name', '\x00', 'read', '2026-01-01'::timestamptz + i * interval '4 minutes', 'x' from generate_series(1, 10000) i;
                insert into audit_log select 'default', 'l' || i, '2026-01-01'::timestamptz + i * interval '25 seconds', 'x', 'x', 'x', 'x' from generate_series(1, 100000) i;
                insert into pipeline_tags select 'default', 'p' || i, t from generate_series(1, 10000) i, unnest(array['gold', 'daily']) t;
                insert into runs select 'default', 'r' || i, 'p' || i % 1000, (array['completed', 'completed', 'completed', 'failed', 'running'])[1 + i % 5], 'completed',
                       case when i % 50 > 0 then '2026-01-01'::timestamptz + i * interval '25 seconds' - i % 7 * interval '1 hour' end,
                       case when i % 5 < 4 then '2026-01-01'::timestamptz + i * interval '25 seconds' + i % 11 * interval '1 hour' end,
                       i, null, null, null, null, '{}', true, null,
                       '2026-01-01'::timestamptz + i * interval '25 seconds', '2026-01-01' from generate_series(1, 100000) i order by hashint8(i);
                insert into run_events select 'default', 'r' || case when i <= 5000 then 12345 else i end, decode(md5(i::text), 'hex'), '{}', '2026-01-01'::timestamptz + i * interval '25 seconds' from generate_series(1, 100000) i order by hashint8(i);
                insert into run_stages select 'default', 'r' || i, 'load', 'completed', null, null, i, null, '{}' from generate_series(1, 100000) i order by hashint8(i);
                insert into run_attempts select 'default', 'r' || i, 1, 'failed', null, null, i, null, '{}' from generate_series(1, 100000) i order by hashint8(i);
                insert into checks select 'default', case i % 5 when 0 then '' else 'p' || i % 1000 end, 'k' || i / case i % 5 when 0 then 1 else 1000 end, '1', 'd' || i, null, (array['rows', 'freshness', 'sql'])[1 + i % 3], case i % 4 when 0 then 'warn' else 'error' end, '{}', '2026-01-01'::timestamptz + i * interval '4 minutes', '2026-01-01' from generate_series(1, 10000) i;
                insert into check_results (organization_id, id, pipeline_id, check_id, run_id, status, severity, dataset, dataset_key, executed_at, request_hash, created_at)
                select 'default', 'c' || i, 'p' || i % 1000, 'k' || i / 1000 % 10, 'r' || i, case i % 20 when 0 then 'fail' else 'pass' end, case i % 4 when 0 then 'warn' else 'error' end, 'd' || i % 30000, pg_temp.did(i % 30000),
                       '2026-01-01'::timestamptz + i * interval '25 seconds', '\x00', '2026-01-01' from generate_series(1, 100000) i order by hashint8(i);
                insert into check_states select 'default', case i % 5 when 0 then '' else 'p' || i % 1000 end, 'k' || i / case i % 5 when 0 then 1 else 1000 end, 'c' || i, null, case i % 20 when 1 then 'fail' else 'pass' end, 'error', 0, 'd' || i, i, '2026-01-01' from generate_series(1, 10000) i;
                insert into check_states select 'default', 'p' || i % 1000, 'x' || i, 'c' || i, null, case i % 20 when 1 then 'fail' else 'pass' end, 'error', 0, 'd' || i, i, '2026-01-01' from generate_series(1, 90000) i;
                insert into connections select 'default', 'w' || i, (array['postgres', 'sqlite'])[1 + i % 2], '{}', null, '2026-01-01'::timestamptz + i * interval '1 hour', '2026-01-01' from generate_series(1, 2000) i;
                insert into executions (organization_id, id, pipeline_id, status, attempts, due_ms, created_at)
                select 'default', 'x' || i, case when i % 10 > 0 then 'p' || i % 1000 end, (array['completed', 'completed', 'completed', 'failed', 'cancelled'])[1 + i % 5], 1, null,
                       '2026-01-01'::timestamptz + i * interval '25 seconds' from generate_series(1, 100000) i order by hashint8(i);
                insert into execution_checks (organization_id, execution_id, place, pipeline_id, check_id, severity, status)
                select 'default', 'x' || i, place, 'p' || i % 1000, 'k' || (i / 1000 + place) % 10, 'error', 'pass' from generate_series(1, 100000) i, generate_series(0, 1) place order by hashint8(i);
                insert into datasets select 'default', pg_temp.did(i), '', 'd' || i, '2026-01-01'::timestamptz + i * interval '1 minute' from generate_series(0, 30000) i order by hashint8(i);
                insert into run_datasets select 'default', 'r' || i, (array['output', 'declared_output', 'input'])[1 + i % 3], pg_temp.did(i % 30000), '2026-01-01'::timestamptz + i * interval '25 seconds', '2026-01-01'::timestamptz + i * interval '26 seconds' from generate_series(1, 100000) i order by hashint8(i);
                insert into lineage_runs select 'default', 'r' || i, 'p' || i % 1000, '2026-01-01', '2026-01-01', true, true, case when i % 10 > 0 then 'r' || i / 10 end, null, null from generate_series(1, 100000) i order by hashint8(i);
                insert into facets select 'default', 'dataset', pg_temp.did(i % 30000)::text, (array['schema', 'documentation', 'ownership', 'dataQualityMetrics'])[1 + i % 4], decode(md5(i::text), 'hex'), '{}', '2026-01-01', '2026-01-01'::timestamptz + i * interval '25 seconds' from generate_series(1, 100000) i order by hashint8(i);
                insert into column_edges select 'default', pg_temp.did(1 + i % 30000), 'c' || i % 7, pg_temp.did(i % 30000), 'c' || i, 'p1', '', '2026-01-01', '2026-01-01' from generate_series(1, 100000) i order by hashint8(i);
                insert into dataset_aliases select 'default', pg_temp.did(i + 50000), '', 'd' || i + 50000, pg_temp.did(i % 30000), '2026-01-01' from generate_series(1, 30000) i order by hashint8(i);
                insert into lineage_edges select 'default', pg_temp.did(greatest(0, n - 1 - abs(hashint8(e)::bigint) % 50)), pg_temp.did(n), 'p' || n % 10000, '2026-01-01', case e % 20 when 0 then '2026-02-01'::timestamptz end
                from (select e, 1 + abs(hashint8(-e)::bigint) % 30000 as n from generate_series(1, 100000) e) x order by hashint8(e) on conflict do nothing;
                """, commandTimeout: 300);
            // Vacuum cannot run in a transaction with other statements.
            await connection.ExecuteAsync("vacuum analyze", commandTimeout: 300);
        }

        /// <summary>
        /// A pool of one connection that prepares statements. Its page costs are ten times as high, as for results ten
        /// times as wide.
        /// </summary>
        internal PostgresPool OneConnection() => new(new NpgsqlConnectionStringBuilder(Settings().ConnectionString)
        {
            MaxPoolSize = 1,
            MaxAutoPrepare = 10,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            Options = "-c seq_page_cost=10 -c random_page_cost=40",
        }, new(DatabaseSettings.DefaultSchema));

        // Use the test's own settings: the connection string of a data source has no password.
        private NpgsqlConnectionStringBuilder Settings() => PostgresUri.Parse("POSTGRES_DSN", _database.SuperuserAddress);

        public CatalogDatabase Open(Action<(string Query, JsonElement Plan)> report)
        {
            var source = new ExplainingSource(_source!, report);
            _pool ??= new(Settings(), new(DatabaseSettings.DefaultSchema));
            return new(source, source, new PostgresDialect(_pool, new(_pool, DatabaseSettings.DefaultAppRole, required: true)), null);
        }

        public async ValueTask DisposeAsync()
        {
            if (_pool is not null)
            {
                await _pool.DisposeAsync();
            }

            if (_source is not null)
            {
                await _source.DisposeAsync();
            }

            await _database.DisposeAsync();
        }
    }
}
