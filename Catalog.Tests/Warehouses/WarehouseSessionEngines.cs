using Catalog.Data.Database;
using Catalog.Data.Warehouses;
using Catalog.Tests.Support;

namespace Catalog.Tests.Warehouses;

[Trait("Category", "Fast")]
public sealed class WarehouseSessionOnSqlite(SqliteSource source) : WarehouseSessionTests(source), IClassFixture<SqliteSource>
{
    protected override string TextOf(int length) => $"printf('%.{length}c', 'x')";

    protected override string Values => "select 1, 7, 1.5, 0.25, 'é', '2026-01-01 12:00:00'";

    protected override string[] Writes =>
    [
        "insert into items (id) values (4)", "delete from items", "update items set id = 0", "drop table items", "create table t (i)",
        "create temp table t (i)", "commit", "rollback", "begin", "savepoint a", "end", "pragma query_only = off",
        "pragma writable_schema = on", "pragma journal_mode = wal", "reindex", "analyze", "vacuum",
        "with a as (select 1) insert into items (id) select * from a", "select * from pragma_query_only",
    ];

    protected override string[] Escapes =>
    [
        "attach database ':memory:' as other", "attach database '/etc/passwd' as other", "vacuum into 'copy.db'",
        "select load_extension('/lib/x86_64-linux-gnu/libc.so.6')", "select readfile('/etc/passwd')", "select writefile('a', 'b')",
        "pragma temp_store_directory = '/tmp'", "create virtual table t using csv(filename='/etc/passwd')",
        "select fts3_tokenizer('simple')", "select hex(zeroblob(1000000000))", "detach database main",
    ];
}

[Trait("Category", "Fast")]
public sealed class WarehouseSessionOnDuckDb(DuckDbSource source) : WarehouseSessionTests(source), IClassFixture<DuckDbSource>
{
    protected override string TextOf(int length) => $"repeat('x', {length})";

    protected override string LongStatement =>
        "select count(*) from range(100000000) a, range(100000000) b where a.range * b.range % 7 = 3";

    protected override string ManyRows => "select range as i from range(100000)";

    protected override string Values =>
        "select true, 7::hugeint, 1.5::decimal(9, 2), 0.25::double, 'é', timestamp '2026-01-01 12:00:00', [1, 2], {'a': 1},"
        + " date '2026-01-01', interval 1 day,"
        + " uuid(), time '12:00:00', 'a'::blob, null, timestamptz '2026-01-01 12:00:00+00', map {'a': 1}, 1::uhugeint";

    protected override string[] Writes =>
    [
        "insert into items (id) values (4)", "delete from items", "update items set id = 0", "drop table items",
        "create table t (i integer)", "set access_mode = 'READ_WRITE'", "set lock_configuration = false",
        "set enable_external_access = true", "set memory_limit = '100GB'", "set threads = 100", "pragma threads = 100",
        "pragma enable_profiling", "reset memory_limit", "checkpoint", "vacuum",
    ];

    protected override string[] Escapes =>
    [
        "select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'", "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/passwd')", "select * from glob('/etc/*')", "select * from read_parquet('http://127.0.0.1:1/a')",
        "copy items to 'out.csv'", "copy items from '/etc/passwd'", "export database 'out'", "import database 'out'",
        "attach ':memory:' as other", "attach '/etc/passwd' as other", "attach 'other.duckdb'", "install httpfs", "load httpfs",
        "load '/tmp/a.duckdb_extension'", "select * from sqlite_scan('/tmp/a', 'b')", "select getenv('PATH')",
        "create secret s (type s3, key_id 'a', secret 'b')", "select * from read_json('/etc/passwd')",
        "select * from sniff_csv('/etc/passwd')",
    ];
}

public sealed class WarehouseSessionOnPostgres : WarehouseSessionTests, IClassFixture<PostgresSource>
{
    private readonly PostgresSource _source;

    public WarehouseSessionOnPostgres(PostgresSource source) : base(source)
    {
        _source = source;
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
    }

    protected override string TextOf(int length) => $"repeat('x', {length})";

    protected override string Values =>
        "select true, 7, 1.5::numeric, 0.25::float8, 'é', timestamp '2026-01-01 12:00:00', array[1, 2], '{\"a\": 1}'::jsonb,"
        + " date '2026-01-01', interval '1 day',"
        + " gen_random_uuid(), time '12:00', 'a'::bytea, null, timestamptz '2026-01-01 12:00:00+00', inet '10.0.0.1',"
        + " 'infinity'::timestamptz, 'NaN'::float8, xmlparse(content '<a/>'), 5::\"char\", int4range(1, 2), 12::money";

    protected override string[] Writes =>
    [
        "insert into items (id) values (4)", "delete from items", "update items set id = 0", "drop table items", "create table t (i int)",
        "commit", "rollback", "begin", "end", "abort", "savepoint a", "set transaction read write", "begin read write",
        "set default_transaction_read_only = off", "set session characteristics as transaction read write",
        "select set_config('transaction_read_only', 'off', true)", "with a as (delete from items returning id) select * from a",
        "select * into t from items", "do $$ begin delete from items; end $$", "lock table items", "truncate items", "vacuum",
        "select nextval('counter')", "select * from items for update", "copy items from '/etc/passwd'", "prepare transaction 'a'",
        "reset all", "discard all", "refresh materialized view v", "grant all on items to public", "call none()", "commit and chain",
    ];

    // The server lets a superuser run these statements. The user of this test is a superuser, so the service must
    // refuse them.
    protected override string[] Escapes =>
    [
        "copy items to '/tmp/catalog-copy'", "copy items to program 'true'", "copy (select 1) to stdout", "copy items from stdin",
        "load 'x'", "listen a", "notify a", "create extension dblink", "create server s foreign data wrapper w",
    ];

    [Fact]
    public async Task The_Catalogs_own_database_is_refused_by_any_name()
    {
        var address = await PostgresTestDatabase.AtHead("own", superuser: true);
        await using var own = DatabaseFactory.Open(TestDatabase.Read(address));
        var identity = new CatalogDatabaseDetector(own);
        await using var same = new WarehouseFactory(new(true), new(null), identity).Create(
            "acme", new() { Type = "postgres", Dsn = address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) });
        Assert.Equal(WarehouseState.Refused, (await same.Test(Ct)).State);

        await using var other = _source.Create(catalog: identity);
        Assert.Equal(WarehouseState.Ok, (await other.Test(Ct)).State);
    }

    [Fact]
    public async Task The_limits_are_set_in_the_session()
    {
        var row = Assert.Single((await Query(
            "select current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('transaction_read_only'), "
            + "current_setting('transaction_isolation'), current_setting('work_mem'), current_setting('temp_file_limit')")).Rows);
        Assert.Equal(["1min", "5s", "on", "repeatable read", "64MB", "10GB"], row);
    }

    [Fact]
    public async Task A_lock_does_not_outlive_its_session()
    {
        await Query("select pg_advisory_lock(42)");
        Assert.Equal(0, await DedicatedPostgres.Scalar<long>(
            _source.Address, "select count(*) from pg_locks where locktype = 'advisory' and objid = 42"));
    }
}

public sealed class WarehouseSessionOnMariaDb : WarehouseSessionTests, IClassFixture<MariaDbSource>
{
    private readonly MariaDbSource _source;

    public WarehouseSessionOnMariaDb(MariaDbSource source) : base(source)
    {
        _source = source;
        MariaDbServer.Shared.Require();
    }

    protected override string TextOf(int length) => $"repeat('x', {length})";

    protected override string LongStatement =>
        "select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c";

    protected override string ManyRows => "select seq as i from seq_1_to_100000";

    protected override string Values =>
        "select true, 7, 1.5, 0.25e0, 'é', timestamp '2026-01-01 12:00:00', date '2026-01-01', time '12:00:00', null, x'00ff',"
        + " uuid(), b'1', cast('0000-00-00' as date), cast(18446744073709551615 as unsigned)";

    protected override string[] Writes =>
    [
        "insert into items (id) values (4)", "delete from items", "update items set id = 0", "drop table items", "create table t (i int)",
        "insert into plain values (1)", "commit", "rollback", "begin", "start transaction read write", "set autocommit = 1",
        "set session transaction read write", "set transaction read write", "truncate items", "alter table items add x int",
        "rename table items to other", "lock tables items write", "select * from items for update",
        "load data infile '/etc/passwd' into table items",
        "insert into items (id) select 1", "replace into items (id) values (1)", "optimize table items", "create view v as select 1",
        "grant all on items to root", "flush tables", "prepare a from 'delete from items'", "execute a", "call write_items()",
        "create or replace table items (id int)", "xa start 'a'", "begin not atomic commit; delete from items; end",
    ];

    // The user of a connection must not have the right FILE.
    protected override string[] Escapes =>
    [
        "select 1 into outfile '/tmp/catalog-outfile'", "select * from items into dumpfile '/tmp/catalog-dumpfile'",
        "load data local infile '/etc/passwd' into table items", "install soname 'ha_connect'", "select sys_exec('true')",
        "create server s foreign data wrapper mysql options (host '127.0.0.1')", "kill 1",
    ];

    [Fact]
    public async Task The_test_of_a_connection_names_the_problem()
    {
        var factory = new WarehouseFactory(new(true), new(null), null);
        async Task<WarehouseState> Test(WarehouseSettings settings) => (await factory.Create("acme", settings).Test(Ct)).State;

        Assert.Equal(WarehouseState.AuthenticationFailed, await Test(_source.Settings with { Password = "wrong" }));
        Assert.Equal(WarehouseState.AuthenticationFailed, await Test(_source.Settings with { User = "nobody_here" }));
        Assert.Equal(WarehouseState.DatabaseMissing, await Test(_source.Settings with { User = "root", Password = "", Database = "none" }));
        Assert.Equal(WarehouseState.TlsFailed, await Test(_source.Settings with { SslMode = "verify-full" }));
        Assert.Equal(WarehouseState.Unreachable, await Test(_source.Settings with { Port = 1 }));
        Assert.Equal(WarehouseState.Refused, await Test(_source.Settings with { Host = "169.254.169.254" }));
        await using var root = factory.Create("acme", _source.Settings with { User = "root", Password = "" });
        Assert.Contains("is a superuser", (await root.Test(Ct)).Detail, StringComparison.Ordinal);
    }
}
