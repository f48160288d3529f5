using Catalog.Data.Warehouses;
using static Catalog.Data.Warehouses.WarehouseSqlFamily;

namespace Catalog.Tests.Warehouses;

/// <summary>Statements and conditions that the guard allows. They use the tables of <see cref="Tables"/>.</summary>
internal static class AllowedSql
{
    public static readonly string[] Tables =
    [
        """
        create table orders (id integer, amount numeric, status text, note text, country text, placed_at timestamp, "update" integer,
            "select" text, load integer, "größe" integer, customer_id integer)
        """,
        "create table customers (id integer, name text, email text, deleted integer)",
    ];

    public static TheoryData<WarehouseSqlFamily, string> Statements =>
        new([.. Both.Select(sql => (Postgres, sql)), .. Both.Select(sql => (Sqlite, sql)), .. Own]);

    public static TheoryData<WarehouseSqlFamily, string> Conditions => new()
    {
        { Postgres, "amount > 0" },
        { Postgres, "(amount > 0 and status = 'paid') or note is null" },
        { Postgres, "status in ('paid', 'a;b', '--', '/*')" },
        { Postgres, "note is distinct from status" },
        { Postgres, "note is not distinct from 'x'" },
        { Postgres, "extract(year from placed_at) = 2026" },
        { Postgres, "customer_id in (select id from customers where deleted = 0 order by id limit 10)" },
        { Postgres, "amount > 0 -- positive\n" },
        { Postgres, "amount > 0 /* positive */" },
        { Postgres, "\"update\" = 1 and \"select\" = 'into'" },
        { Postgres, "case when amount > 0 then status = 'paid' else true end" },
        { Postgres, "placed_at >= now() - interval '1 day'" },
        { Postgres, "status ~ '^[a-z;]+$' and amount::integer > 0" },
        { Sqlite, "[select] = 'x' and `update` is null" },
        { Sqlite, "note not like '%drop table%'" },
        { Sqlite, "exists (select 1 from customers c where c.id = customer_id)" },
        { MySql, "`update` = 1 and note = \"it's\"" },
        { MySql, "amount--1 > 0" },
        { SqlServer, "[drop] = N'x' and len(note) > 0" },
        { WarehouseSqlFamily.ClickHouse, "url = 'http://x' and note != 'it\\'s'" },
        { DuckDb, "list_contains([1, 2], id) and note = 'x.csv'" },
    };

    // The statements that Postgres and SQLite accept.
    private static readonly string[] Both =
    [
        "select 1",
        "SELECT 1;",
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
        "select größe from orders where größe in (1, 2)",
        "select 'ｐｇ_sleep', '😀', '“”' from orders",
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

    private static readonly (WarehouseSqlFamily, string)[] Own =
    [
        (Postgres, "(select 1) union all (select 2)"),
        (Postgres, "table orders"),
        (Postgres, "select E'it\\'s', $$it's; drop$$, $a$ $$ $a$, N'x', B'1', X'1F', U&'\\0041'"),
        (Postgres, "select 1 /* a /* nested; */ comment */"),
        (Postgres, "select left(note, 3), right(note, 2), extract(year from placed_at), trim(both 'x' from note) from orders"),
        (Postgres, "select update, load, set, copy from (select 1 as update, 2 as load, 3 as set, 4 as copy) x"),
        (Postgres, "select 1 as into, 2 as delete"),
        (Postgres, "select substring(note from 1 for 3) from orders where note is distinct from status"),
        (Postgres, "select amount::text, (array[1, 2])[1], '{\"a\": 1}'::jsonb ->> 'a', '{\"a\": 1}'::jsonb ? 'a', array[1] @> array[1] from orders"),
        (Postgres, "select * from generate_series(1, 3) as g(i) cross join lateral (select g.i) x"),
        (Postgres, "select percentile_cont(0.5) within group (order by amount) from orders"),
        (Postgres, "select date '2026-01-01' + interval '1 day', timestamp '2026-01-01' at time zone 'UTC'"),
        (Postgres, "select id from orders fetch first 5 rows only"),
        (Postgres, "select current_date, current_user, pg_catalog.lower('X'), to_char(now(), 'YYYY')"),
        (Postgres, "select 5 # 3, 2 ^ 3, |/ 4, @ -1"),
        (Sqlite, "select [update], `select` from orders where [id] is not null"),
        (Sqlite, "select 0x1F, strftime('%Y', placed_at), iif(load > 1, 'a', 'b'), x'00' from orders"),
        (Sqlite, "select name from sqlite_master where type = 'table'"),
        (Sqlite, "select glob('a*', note), printf('%d', id) from orders"),
        (MySql, "select `update`, \"it's\", 'x' from orders # done"),
        (MySql, "select 5--1, if(a > 1, 'x', 'y'), insert('abc', 1, 1, 'x'), replace(a, 'b', 'c') from t"),
        (MySql, "select _utf8mb4'x' collate utf8mb4_bin, n'x', date_add(now(), interval 1 day) from t -- done"),
        (MySql, "select group_concat(a order by b separator ',') from t"),
        (DuckDb, "from orders select id where note = 'x.csv'"),
        (DuckDb, "select [1, 2, 3][1], {'a': 1}.a, 'x.csv' from t, u where a in ('x', 'y')"),
        (DuckDb, "select extract(year from '2026-01-01'::date), list_filter([1], x -> x > 0) from t order by a desc, 'y'"),
        (DuckDb, "select * exclude (a) from main.orders union all by name select * from \"main\".\"orders\""),
        (DuckDb, "select $$it's$$, E'a\\n', approx_quantile(x, 0.5) from t qualify row_number() over () = 1"),
        (SqlServer, "select top (10) [drop], [exec], N'it''s; drop', len(x) from [dbo].[orders] as o where o.[update] = 1"),
        (SqlServer, "with x as (select 1 as a) select a from x union all select 2 order by a offset 0 rows fetch next 5 rows only"),
        (SqlServer, "select case when a = 1 then 'x' else 'y' end, left(a, 1), replace(a, 'b', 'c') from db.dbo.t with (nolock)"),
        (SqlServer, "select a from t where exists (select 1 from u where u.a = t.a) /* a /* nested */ comment */"),
        (WarehouseSqlFamily.ClickHouse, "select url, file, countIf(a > 1), quantile(0.5)(b), format('{}', a) from t final where a = 'it\\'s'"),
        (WarehouseSqlFamily.ClickHouse, "with 1 as x select x, tuple(1, 2).1, [1, 2][1], map('a', 1), a ? 1 : 2 from `db`.`t` limit 1 by a # done"),
        (WarehouseSqlFamily.ClickHouse, "select domain(url), settings, urlHash(url) from t"),
    ];
}
