using Catalog.Data.Warehouses;
using static Catalog.Data.Warehouses.WarehouseSqlFamily;

namespace Catalog.Tests.Warehouses;

/// <summary>Statements and conditions that the guard allows. They use the tables of <see cref="Tables"/>.</summary>
internal static class AllowedSql
{
    /// <summary>Creates the tables.</summary>
    /// <param name="json">The type of a column with JSON.</param>
    public static string Tables(string json) =>
        $$"""
        create table t (a int, b int, s text, j {{json}}, "option" text);
        create table u (a int, b int);
        create table n ("set" int, "update" text, "delete" int, "insert" int, "merge" int, load int, copy int, lock int,
            call int, execute int);
        create table orders (id int, amount numeric, status text, state text, note text, country text, placed_at timestamp,
            "update" text, "select" text, load int, "größe" int, customer_id int);
        create table customers (id int, name text, email text, deleted int);
        """;

    /// <summary>Statements allowed for every family.</summary>
    public static readonly string[] StatementsOfAll =
    [
        "select 1",
        "SELECT 1;",
        " select 1 ; \n",
        "select 1 /* the end */",
        "select -- one\n 1",
        "/* first */ -- second\r\n select 1",
        "select 'drop table t; -- /* it''s a text'",
        "select count(*) as n from orders where state = 'update t set a = 1'",
        "with x as (select 1 as a) select a from x",
        "select 1 as a union all select 2 union select 3",
        "select 1 as \"update\", 2 as \"into\", 3 as \"for update\"",
        "select a.\"set\" from (select 1 as \"set\") as a",
        "select replace('a', 'a', 'b')",
        "select sum(1) over (order by 1)",
        "select case when 1 = 1 then 'delete' else 'insert' end",
        "select 1.5, .5, 1e3, 1.5e-3",
        "select 'a\ud83d\ude80b\u00e9'",
        "select 1 as gr\u00f6\u00dfe",
        "select 'select * into t'",
        "select count(*) from t where a in (select b from u) and exists (select 1 from u where u.b <> t.a)",
        "select a from t where s like '%delete%' order by a",
    ];

    /// <summary>Statements allowed for one family.</summary>
    public static (WarehouseSqlFamily Family, string Sql)[] Statements =>
        [.. ByPostgresAndSqlite.SelectMany(sql => new[] { (Postgres, sql), (Sqlite, sql) }), .. ByFamily];

    private static readonly string[] ByPostgresAndSqlite =
    [
        "select 1 ; -- done",
        "/* why */ select 1",
        "-- why\nselect 1",
        "select count(*) from orders where amount < 0",
        "select * from orders where status = 'drop table orders; commit'",
        "select * from orders where note = 'it''s -- not a comment'",
        "select \"update\", \"select\" from orders",
        "select o.\"update\" from orders o",
        "select load from orders",
        "select max(\"update\") as \"into\" from orders",
        "select (o.load) from orders as o where o.load is null",
        "select id as \"delete\" from orders order by \"delete\" desc",
        "with x as (select id from orders) select * from x",
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select i from n",
        "values (1, 'a'), (2, 'b')",
        "select * from orders where customer_id not in (select id from customers)",
        "select id from orders union select id from customers union all select 3",
        "select id from orders except select id from customers",
        "select coalesce(note, 'for update') from orders",
        "select replace(note, 'delete', 'update') from orders",
        "select 1 where 1 = 1 /* ; */",
        "select sum(case when status = 'into' then 1 else 0 end) from orders",
        "select country, count(*) from orders group by country having count(*) > 1 order by 2 desc limit 10 offset 5",
        "select row_number() over (partition by country order by id) from orders",
        "select gr\u00f6\u00dfe from orders where gr\u00f6\u00dfe in (1, 2)",
        "select '\uff50\uff47_sleep', '\ud83d\ude00', '\u201c\u201d' from orders",
        "select 1.5e3 + .5 + 1. - 2",
        "select '\\d+' from orders",
        "select 'C:\\\\' from orders",
        "select name from customers where deleted = 0 and email like '%@%'",
        "select cast(amount as integer) from orders",
        "select count(*) filter (where amount > 0) from orders",
        "select a.id from orders a join customers b on a.customer_id = b.id where b.name <> 'x'",
        "select ((((1))))",
        "select * from (select id from orders) x, (select id from customers) y",
        "select 5 - -1, 6 --1\n",
    ];

    private static readonly (WarehouseSqlFamily Family, string Sql)[] ByFamily =
    [
        (Postgres, "values (1), (2)"),
        (Postgres, "table t"),
        (Postgres, "(select 1) union ((select 2))"),
        (Postgres, "select left('abc', 1), right('abc', 1), replace('a', 'b', 'c'), overlay('abc' placing 'x' from 2 for 1)"),
        (Postgres, "select extract(year from now()), substring('abc' from 2 for 1), trim(both 'x' from 'xax')"),
        (Postgres, "select a is distinct from b from t"),
        (Postgres, "select '1'::int, a::text from t"),
        (Postgres, "select j ->> 'a', j -> 'b', j #>> '{a,b}', j @> '{}', j ? 'a', j ?| array['a'], j ?& array['b'] from t"),
        (Postgres, "select set, update, delete, insert, merge from n"),
        (Postgres, "select n.update, n.set, n.delete from n where update is null and delete = 1"),
        (Postgres, "select 1 as update, 2 as delete"),
        (Postgres, "select load, copy, lock, call, execute from n"),
        (Postgres, "select E'it\\'s', e'\\\\', $$it's$$, $a$ $$ ' $a$, N'x', B'10', X'1F', U&'d\\0061ta'"),
        (Postgres, "select 'C:\\temp'"),
        (Postgres, "select /* outer /* inner */ ' */ 1"),
        (Postgres, "select array[1, 2, 3], (array[1, 2, 3])[1:2]"),
        (Postgres, "select count(*) filter (where a > b), percentile_cont(0.5) within group (order by a) from t"),
        (Postgres, "select row_number() over w from t window w as (partition by b order by a desc)"),
        (Postgres, "with x as materialized (select a from t) select * from x"),
        (Postgres, "with recursive x(n) as (select 1 union all select n + 1 from x where n < 5) select n from x"),
        (Postgres, "select s from t where s ~ '^[a-z]+$' and s !~* 'x' and s not like '%;%'"),
        (Postgres, "select now() - interval '1 day', date '2020-01-01', timestamp with time zone '2020-01-01 00:00+00'"),
        (Postgres, "select a # b, @ a, a | b, a & b, a % b, |/ 4.0, 5 ^ 2 from t"),
        (Postgres, "select * from t cross join lateral (select t.a + 1 as c) as x limit 5 offset 1"),
        (Postgres, "select a from t fetch first 5 rows only"),
        (Postgres, "select distinct on (a) a, b from t order by a, b"),
        (Postgres, "select a from t tablesample system (10)"),
        (Postgres, "select make_interval(days => 1)"),
        (Postgres, "select current_setting('server_version'), pg_typeof(a), pg_column_size(a) from t"),
        (Postgres, "select lo_orderkey from (select 1 as lo_orderkey) as o where lo_orderkey in (1)"),
        (Postgres, "select a1$b from (select 1 as a1$b) as x"),
        (Postgres, "select * from generate_series(1, 3) as g(n)"),
        (Postgres, "(select 1) union all (select 2)"),
        (Postgres, "table orders"),
        (Postgres, "select E'it\\'s', $$it's; drop$$, $a$ $$ $a$, N'x', B'1', X'1F', U&'\\0041'"),
        (Postgres, "select 1 /* a /* nested; */ comment */"),
        (Postgres, "select left(note, 3), right(note, 2), extract(year from placed_at), trim(both 'x' from note) from orders"),
        (Postgres, "select update, load, set, copy from (select 1 as update, 2 as load, 3 as set, 4 as copy) x"),
        (Postgres, "select substring(note from 1 for 3) from orders where note is distinct from status"),
        (Postgres, "select amount::text, (array[1, 2])[1], '{\"a\": 1}'::jsonb ->> 'a', '{\"a\": 1}'::jsonb ? 'a', array[1] @> "
            + "array[1] from orders"),
        (Postgres, "select * from generate_series(1, 3) as g(i) cross join lateral (select g.i) x"),
        (Postgres, "select percentile_cont(0.5) within group (order by amount) from orders"),
        (Postgres, "select date '2026-01-01' + interval '1 day', timestamp '2026-01-01' at time zone 'UTC'"),
        (Postgres, "select id from orders fetch first 5 rows only"),
        (Postgres, "select current_date, current_user, pg_catalog.lower('X'), to_char(now(), 'YYYY')"),
        (Postgres, "select 5 # 3, 2 ^ 3, |/ 4, @ -1"),

        (MySql, "select 'it''s', \"it's\", `update` from t"),
        (MySql, "select 'a\\n', 'C:\\\\temp' from t"),
        (MySql, "select insert('abc', 1, 1, 'x'), left('a', 1), replace('a', 'b', 'c')"),
        (MySql, "select 1 -- one\n from t # all\n where a = 1"),
        (MySql, "select 5 - -1, a div b, a <=> b, a && b, a || b, !a from t"),
        (MySql, "select j->'$.a', j->>'$.b' from t"),
        (MySql, "select date_sub(now(), interval 1 day), timestampdiff(second, a, b) from t"),
        (MySql, "select _utf8mb4'a', N'b', x'41', 0x41, b'1' from t force index (i)"),
        (MySql, "select group_concat(a order by b separator ';') from t"),
        (MySql, "select `update`, \"it's\", 'x' from orders # done"),
        (MySql, "select _utf8mb4'x' collate utf8mb4_bin, n'x', date_add(now(), interval 1 day) from t -- done"),

        (Sqlite, "values (1), (2)"),
        (Sqlite, "select [update], `set`, \"delete\", n.\"insert\" from n"),
        (Sqlite, "select * from pragma_table_info('t')"),
        (Sqlite, "select a from t where s glob 'a*' or s like '\\' escape '\\'"),
        (Sqlite, "select j -> '$.a', j ->> 'b', json_extract(j, '$.c') from t"),
        (Sqlite, "select x'41', 'C:\\', 1 <> 2, a || b, a << 1 from t"),
        (Sqlite, "select strftime('%Y', 'now'), julianday('now'), replace('a', 'b', 'c'), total(a) from t"),
        (Sqlite, "select a is not distinct from b from t"),
        (Sqlite, "select count(*) filter (where a > 1), row_number() over (order by a) from t"),
        (Sqlite, "with recursive x(n) as (select 1 union all select n + 1 from x where n < 5) select n from x"),
        (Sqlite, "select name from sqlite_master where type = 'table'"),
        (Sqlite, "select set1.a from t as set1 left join t as b on set1.a = b.a limit 5 offset 1"),
        (Sqlite, "select [update], `select` from orders where [id] is not null"),
        (Sqlite, "select 0x1F, strftime('%Y', placed_at), iif(load > 1, 'a', 'b'), x'00' from orders"),
        (Sqlite, "select glob('a*', note), printf('%d', id) from orders"),

        (DuckDb, "from t"),
        (DuckDb, "from t select a, 'x.csv'"),
        (DuckDb, "select a from t where file = 'x.csv' and a is distinct from 'y.csv'"),
        (DuckDb, "select extract(year from '2020-01-01'::date), trim('x' from 'xax'), substring('abc' from 2) from t"),
        (DuckDb, "select * from (values ('a.csv'), ('b.csv')) as x(name)"),
        (DuckDb, "select a from t where name in ('a.csv', 'b.csv') order by a desc, \"a/b\""),
        (DuckDb, "select [1, 2, 3][1:2], {'a': 1, 'b': 'x.csv'}, list_transform([1], x -> x + 1)"),
        (DuckDb, "select * exclude (a) from main.t qualify row_number() over (partition by b) = 1"),
        (DuckDb, "select t.json, t.csv from t join u on t.a = u.a"),
        (DuckDb, "select a // b, a ** b, a::varchar, 'x' ^@ 'y' from t group by all"),
        (DuckDb, "select * from pragma_table_info('t')"),
        (DuckDb, "select e'\\'', $$ ' $$ from t asof join u on t.a >= u.a"),
        (DuckDb, "from orders select id where note = 'x.csv'"),
        (DuckDb, "select [1, 2, 3][1], {'a': 1}.a, 'x.csv' from t, u where a in ('x', 'y')"),
        (DuckDb, "select extract(year from '2026-01-01'::date), list_filter([1], x -> x > 0) from t order by a desc, 'y'"),
        (DuckDb, "select * exclude (a) from main.orders union all by name select * from \"main\".\"orders\""),
        (DuckDb, "select $$it's$$, E'a\\n', approx_quantile(x, 0.5) from t qualify row_number() over () = 1"),

        (WarehouseSqlFamily.ClickHouse, "select 'it\\'s', 'it''s', `update`, \"set\" from t final"),
        (WarehouseSqlFamily.ClickHouse, "select a ? 'x' : 'y', [1, 2][1], {'a': 1}, t.1, tuple(1, 2).2, a::String from t"),
        (WarehouseSqlFamily.ClickHouse, "select countIf(a > 1), quantile(0.5)(a), arrayMap(x -> x + 1, [1]) from t prewhere a > 1 "
            + "limit 1 by a"),
        (WarehouseSqlFamily.ClickHouse, "select format('{}', a), settings, format from t"),
        (WarehouseSqlFamily.ClickHouse, "select url, file from t where url like '%x%' sample 0.1"),
        (WarehouseSqlFamily.ClickHouse, "select name from system.tables where database = currentDatabase()"),
        (WarehouseSqlFamily.ClickHouse, "select $a$ it's $a$, toDate('2020-01-01') + interval 1 day"),
        (WarehouseSqlFamily.ClickHouse, "select url, file, countIf(a > 1), quantile(0.5)(b), format('{}', a) from t final where a "
            + "= 'it\\'s'"),
        (WarehouseSqlFamily.ClickHouse, "select domain(url), settings, urlHash(url) from t"),
    ];

    /// <summary>Conditions allowed for every family.</summary>
    public static readonly string[] ConditionsOfAll =
    [
        "a = 1",
        "a > 1 and (b < 2 or b is null)",
        "s = 'it''s; -- a text'",
        "a between 1 and 2",
        "a in (1, 2, 3)",
        "lower(s) like '%drop table%'",
        "(a = 1)",
        "a = 1 /* the end */",
        "-- the first\n a = 1",
        "a in (select b from u where b > 1)",
        "exists (select 1 from u where u.b = t.a)",
        "not exists (select 1 from u where u.b = t.a group by u.b having count(*) > 1)",
        "coalesce(a, 0) <> 0",
        "case when a = 1 then 1 else 0 end = 1",
        "\"update\" = 'set'",
        "t.a >= -1.5e3",
        "a is distinct from b",
        "cast(a as char(3)) = 'abc'",
        "(a, b) in (select a, b from u)",
        "a = 1\r\nand b = 2\n",
    ];

    /// <summary>Conditions allowed for one family.</summary>
    public static readonly (WarehouseSqlFamily Family, string Sql)[] Conditions =
    [
        (Postgres, "s ~ '^\\d+$' and a::text = '1' and j ->> 'a' = 'b' and j @> '{}' and j ?| array['a', 'b']"),
        (Postgres, "a > extract(epoch from now()) - 60 and s = E'it\\'s'"),
        (Postgres, "amount > 0"),
        (Postgres, "(amount > 0 and status = 'paid') or note is null"),
        (Postgres, "status in ('paid', 'a;b', '--', '/*')"),
        (Postgres, "note is distinct from status"),
        (Postgres, "note is not distinct from 'x'"),
        (Postgres, "extract(year from placed_at) = 2026"),
        (Postgres, "customer_id in (select id from customers where deleted = 0 order by id limit 10)"),
        (Postgres, "amount > 0 -- positive\n"),
        (Postgres, "amount > 0 /* positive */"),
        (Postgres, "\"update\" = '1' and \"select\" = 'into'"),
        (Postgres, "case when amount > 0 then status = 'paid' else true end"),
        (Postgres, "placed_at >= now() - interval '1 day'"),
        (Postgres, "status ~ '^[a-z;]+$' and amount::integer > 0"),

        (MySql, "`update` = 1 and s regexp '^a' and j->>'$.a' = \"b\""),
        (MySql, "`update` = 1 and note = \"it's\""),

        (Sqlite, "[a] = 1 and s glob 'a*'"),
        (Sqlite, "[select] = 'x' and `update` is null"),
        (Sqlite, "note not like '%drop table%'"),
        (Sqlite, "exists (select 1 from customers c where c.id = customer_id)"),

        (DuckDb, "s = 'x.csv' and a in [1, 2] and extract(year from d) = 2020"),
        (DuckDb, "list_contains([1, 2], id) and note = 'x.csv'"),

        (WarehouseSqlFamily.ClickHouse, "`a` = 1 and has([1, 2], a) and d > now() - interval 1 day"),
        (WarehouseSqlFamily.ClickHouse, "url = 'http://x' and note != 'it\\'s'"),
    ];
}
