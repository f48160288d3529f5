using System.Text;
using System.Text.Json;
using Catalog.Migrations.Lint;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

public sealed class LintTests
{
    /// <summary>Engine, rule, a script that trips it on its last statement, and the safe way to write that.</summary>
    public static readonly TheoryData<string, string, string, string> Rules = new()
    {
        { "postgres", "drop-table", "drop table if exists runs", "create table t (a text); drop table t" },
        { "postgres", "drop-table", "drop table if exists t, public.runs cascade", "create table public.t (a text); drop table t" },
        { "postgres", "drop-table", "do $$ begin if true then drop table runs; end if; end $$", "do $$ begin if true then raise notice 'drop table runs'; end if; end $$" },
        { "sqlite", "drop-table", "drop table runs", "drop view run_list" },
        { "sqlite", "drop-table", "create table runs_new (a text); drop table runs; alter table runs_new rename to runs", "create table t (a text); drop table t" },
        { "postgres", "drop-column", "alter table runs add column a text, drop owner", "alter table runs add column a text; alter table runs drop column if exists a" },
        { "sqlite", "drop-column", "alter table runs drop column owner", "create table t (a text, b text); alter table t drop column b" },
        { "postgres", "drop-constraint", "alter table runs drop constraint if exists runs_check", "alter table runs add constraint c check (a > 0) not valid; alter table runs drop constraint c" },
        { "postgres", "rename", "alter table runs rename to executions", "create table t (a text); alter table t rename to u" },
        { "postgres", "rename", "alter table runs rename column owner to holder", "alter table runs rename constraint a to b" },
        { "postgres", "rename", "alter table runs set schema archive", "alter index runs_idx rename to runs_index" },
        { "postgres", "rename", "alter view run_list rename to list_of_runs", "alter table runs set (fillfactor = 90)" },
        { "sqlite", "rename", "alter table runs rename owner to holder", "alter table runs add column holder text" },
        { "postgres", "column-type", "alter table runs alter owner type varchar(20)", "alter table runs alter owner set default ''" },
        { "postgres", "column-type", "alter table runs alter column owner set data type varchar(20)", "create table t (a text); alter table t alter column a type bigint" },
        { "postgres", "set-not-null", "alter table runs alter column owner set not null", "alter table runs alter column owner drop not null" },
        { "postgres", "set-not-null", "alter table runs add constraint c check (owner is not null) not valid; alter table runs alter column owner set not null",
            "alter table runs validate constraint runs_owner_not_null; alter table runs alter column owner set not null; alter table runs drop constraint runs_owner_not_null" },
        { "postgres", "set-not-null", "alter table runs add column a text not null", "alter table runs add column a text not null default ''" },
        { "sqlite", "set-not-null", "alter table runs add column a text not null", "alter table runs add column a text" },
        { "postgres", "foreign-key-not-valid", "alter table runs add constraint runs_pipeline_fkey foreign key (pipeline_id) references pipelines (id)",
            "alter table runs add constraint runs_pipeline_fkey foreign key (pipeline_id) references pipelines (id) not valid" },
        { "postgres", "foreign-key-not-valid", "alter table runs add column a bigint default 1 references t", "alter table runs add column a bigint references t" },
        { "postgres", "foreign-key-not-valid", "alter table runs add constraint c foreign key (a) references t not valid; alter table runs validate constraint c", "create table u (a bigint references t); alter table u add foreign key (a) references t" },
        { "postgres", "check-not-valid", "alter table runs add constraint c check (a > 0)", "alter table runs add constraint c check (a > 0) not valid" },
        { "postgres", "check-not-valid", "alter table runs add column a bigint check (a > 0)", "create table t (a bigint check (a > 0)); alter table t add check (a < 9)" },
        { "postgres", "check-not-valid", "alter table runs add constraint c check (a > 0) not valid; alter table runs validate constraint c", "alter table runs validate constraint c" },
        { "postgres", "unique-not-concurrent", "alter table runs add constraint k unique (a)", "alter table runs add constraint k unique using index k" },
        { "postgres", "unique-not-concurrent", "alter table runs add primary key (a)", "create table t (a bigint); alter table t add primary key (a)" },
        { "postgres", "unique-not-concurrent", "alter table runs add column a text unique", "alter table runs add column a text" },
        { "postgres", "unique-not-concurrent", "alter table runs add constraint x exclude using gist (a with &&)", "create table t (a text, exclude using gist (a with &&))" },
        { "postgres", "index-not-concurrent", "create unique index i on runs (a)", "-- transaction: none\ncreate unique index concurrently i on runs (a)" },
        { "postgres", "index-not-concurrent", "create index on public.runs (a)", "create table runs (a text); create index on public.runs (a)" },
        { "postgres", "index-not-concurrent", "create index i on runs using gin (a)", "create index i on only runs (a)" },
        { "postgres", "index-not-concurrent", "drop index runs_idx", "-- transaction: none\ndrop index concurrently if exists runs_idx" },
        { "postgres", "index-not-concurrent", "reindex table runs", "-- transaction: none\nreindex table concurrently runs" },
        { "postgres", "concurrently-in-transaction", "create index concurrently i on runs (a)", "-- transaction: none\ncreate index concurrently i on runs (a)" },
        { "postgres", "concurrently-in-transaction", "vacuum analyze runs", "refresh materialized view concurrently run_list" },
        { "postgres", "concurrently-in-transaction", "do $$ begin drop index concurrently i; end $$", "-- transaction: none\nalter table runs detach partition runs_2025 concurrently" },
        { "postgres", "concurrently-not-alone", "select 1;\n-- transaction: none\ncreate index concurrently i on runs (a)", "-- transaction: none\ncreate index concurrently i on runs (a)" },
        { "postgres", "transaction-none-needless", "-- transaction: none\nalter table runs add column a text", "alter table runs add column a text" },
        { "postgres", "transaction-none-needless", "-- transaction: none\ndo $$ begin perform 1; end $$", "-- transaction: none\ndo $$ begin loop update runs set a = 1 where a is null; commit; end loop; end $$" },
        { "postgres", "truncate-cascade", "truncate table runs cascade", "create table t (a text); truncate t" },
        { "postgres", "volatile-default", "alter table runs add column a uuid default gen_random_uuid()", "alter table runs add column a timestamptz not null default now()" },
        { "postgres", "volatile-default", "alter table runs add column a bigint generated by default as identity", "alter table runs add column a numeric(9, 2) default '1'::numeric(9, 2)" },
        { "postgres", "volatile-default", "alter table runs add column a text generated always as (lower(owner)) stored", "create table t (a uuid default gen_random_uuid())" },
        { "sqlite", "volatile-default", "alter table runs add column a text default current_timestamp", "alter table runs add column a text default 'x'" },
        { "postgres", "char-n", "create table t (a char(3))", "create table t (a character varying(3), b \"char\", c text)" },
        { "postgres", "char-n", "alter table runs add column a character(3)", "alter table runs add column a varchar(3)" },
        { "postgres", "serial", "create table t (a bigserial primary key)", "create table t (a bigint generated by default as identity primary key)" },
        { "postgres", "int-key", "create table t (a int primary key)", "create table t (a bigint primary key, b int)" },
        { "postgres", "int-key", "create table t (organization_id text, id integer, constraint t_pkey primary key (organization_id, id))", "create table t (organization_id text, month smallint, primary key (organization_id, month))" },
        { "postgres", "int-key", "alter table runs add column owner_id int references owners", "alter table runs add column owner_id bigint references owners" },
        { "postgres", "timestamp-without-zone", "create table t (a timestamp(6) not null)", "create table t (a timestamptz, b timestamp(6) with time zone)" },
        { "postgres", "timestamp-without-zone", "alter table runs add column a timestamp without time zone", "alter table runs add column a timestamptz" },
        { "postgres", "json-not-jsonb", "create table t (a json)", "create table t (a jsonb, json text)" },
        { "postgres", "identifier-too-long", $"create table {new string('a', 64)} (a text)", $"create table {new string('a', 63)} (a text)" },
        { "postgres", "identifier-too-long", $"create table t (\"{new string('ä', 32)}\" text)", $"comment on table t is '{new string('a', 64)}'" },
        { "postgres", "transaction-control", "begin; create table t (a text); commit", "savepoint a; rollback to a" },
        { "postgres", "transaction-control", "start transaction", "create function f() returns int begin atomic select 1; end" },
        { "postgres", "transaction-control", "do $$ begin perform 1; commit; end $$", "-- transaction: none\ndo $$ begin perform 1; commit; end $$" },
        { "sqlite", "transaction-control", "begin immediate; end", "create trigger t after insert on runs begin update runs set a = 1; end" },
        { "postgres", "lock-timeout", "set local lock_timeout = 0", "set local work_mem = '64MB'" },
        { "postgres", "lock-timeout", "select set_config('statement_timeout', '0', false)", "select set_config('work_mem', '64MB', true)" },
        { "postgres", "lock-timeout", "reset lock_timeout", "create function f() returns void language sql set lock_timeout = '1s' as $$ select 1 $$" },
        { "postgres", "update-without-where", "update runs set a = 1 from t", "update runs set a = 1 where a is null" },
        { "postgres", "update-without-where", "delete from only runs using (select 1 where true) t", "create table t (a text); delete from t" },
        { "postgres", "update-without-where", "with gone as (delete from runs returning id) select 1 from gone where id is null", "with t as (select 1) update runs set a = 1 where a is null" },
        { "postgres", "update-without-where", "do $$ begin for i in 1..2 loop update runs set a = 1; end loop; end $$", "insert into runs (a) values (1) on conflict (a) do update set a = 2" },
        { "postgres", "update-without-where", "truncate runs", "select 1 from runs where true for update" },
        { "sqlite", "update-without-where", "update or ignore runs set a = (select 1 from t where true)", "update runs set a = 1 where a is null" },
        { "postgres", "enum-value-used", "alter type s add value 'x'; update runs set s = 'x' where s = 'y'", "alter type s add value 'x'; update runs set s = 'z' where s = 'y'" },
        { "postgres", "enum-value-used", "alter type s add value if not exists 'x' after 'w'; do $$ begin update runs set s = 'x' where s = 'y'; end $$", "create type s as enum ('y'); alter type s add value 'x'; update runs set s = 'x' where s = 'y'" },
        { "postgres", "disable-row-security", "alter table runs disable row level security", "alter table runs enable row level security" },
        { "postgres", "disable-row-security", "alter table runs no force row level security", "alter table runs force row level security" },
        { "postgres", "disable-row-security", "alter role catalog_app bypassrls", "alter role catalog_app nobypassrls" },
        { "postgres", "grant-to-public", "grant select, insert on runs to catalog_app, public", "grant usage on schema public to catalog_app" },
        { "postgres", "dollar-tag", "do $body$ begin perform 1; end $body$", "do $$ begin perform '$1 and $2'; end $$" },
        { "postgres", "dollar-tag", "do $$begin$$", "select '$', '$ a $'" },
        { "postgres", "unreadable", "\nselect 'a", "select 'a'" },
        { "sqlite", "sqlite-no-transaction", "-- transaction: none\ncreate index i on runs (a)", "create index i on runs (a)" },
        { "sqlite", "sqlite-no-transaction", "-- transaction: none\nselect 1;\nselect 2", "select 1; select 2" },
        { "sqlite", "sqlite-no-transaction", "pragma foreign_keys = off", "create table n (a text); insert into n select a from runs; pragma foreign_key_check" },
        { "sqlite", "sqlite-no-transaction", "vacuum", "analyze" },
        { "postgres", "update-without-where", "merge into runs using t on runs.id = t.id when matched then delete", "merge into runs using t on runs.id = t.id when matched and t.gone then delete when not matched then insert (id) values (t.id)" },
        { "postgres", "update-without-where", "with t as (select 1) merge into only runs using t on true when matched and a then update set a = 1 when not matched by source then delete",
            "create table n (a text); merge into n using t on n.a = t.a when matched then delete" },
        { "postgres", "update-without-where", "insert into archive with gone as (delete from runs returning *) select * from gone where true", "insert into archive with gone as (delete from runs where a returning *) select * from gone" },
        { "postgres", "disable-trigger", "alter table runs disable trigger all", "alter table runs enable trigger runs_audit" },
        { "postgres", "disable-trigger", "alter table runs enable replica trigger runs_audit", "create table t (a text); alter table t disable trigger user" },
        { "postgres", "disable-trigger", "set local session_replication_role = replica", "create trigger t after insert on runs for each row execute function f()" },
        { "postgres", "drop-object", "drop schema if exists archive", "create schema if not exists archive; drop schema archive cascade" },
        { "postgres", "drop-object", "drop owned by catalog_app", "drop role catalog_app" },
        { "postgres", "drop-object", "drop view run_list cascade", "drop view if exists run_list, run_tree" },
        { "postgres", "drop-object", "drop materialized view run_list", "create materialized view run_list as select 1; drop materialized view run_list" },
        { "postgres", "drop-object", "drop function if exists f(int, text), g cascade", "drop function f(int, text)" },
        { "postgres", "drop-object", "drop procedure f cascade", "drop procedure f" },
        { "postgres", "drop-object", "drop type s", "create type s as enum ('a'); drop type public.s" },
        { "postgres", "drop-object", "drop domain s", "create domain s as text; drop domain s" },
        { "postgres", "drop-object", "drop sequence s, runs_id_seq", "create sequence s; drop sequence s" },
        { "postgres", "drop-object", "drop extension pg_trgm", "create extension if not exists pg_trgm; drop extension pg_trgm" },
        { "postgres", "drop-object", "drop trigger t on runs cascade", "drop trigger t on runs; create table n (a text); drop trigger t on n cascade" },
        { "postgres", "drop-object", "drop policy p on runs cascade", "drop policy p on runs" },
        { "postgres", "drop-object", "create or replace function f() returns int language sql as $$ select 1 $$; drop function f cascade", "create function f() returns int language sql as $$ select 1 $$; drop function f() cascade" },
        { "postgres", "drop-object", "do $$ begin drop type s; end $$", "do $$ begin drop view s; end $$" },
        { "postgres", "table-lock", "cluster runs using runs_pkey", "create table t (a text); cluster verbose t using t_pkey" },
        { "postgres", "table-lock", "-- transaction: none\ncluster", "alter table runs cluster on runs_pkey" },
        { "postgres", "table-lock", "alter table runs set unlogged", "create table t (a text); alter table t set unlogged" },
        { "postgres", "table-lock", "alter table runs add column a text, set logged", "create unlogged table t (a text)" },
        { "postgres", "table-lock", "alter table runs set tablespace fast", "alter table runs set (fillfactor = 90)" },
        { "postgres", "table-lock", "alter index runs_pkey set tablespace fast", "alter index runs_pkey set (fillfactor = 90)" },
        { "postgres", "table-lock", "alter table all in tablespace slow set tablespace fast", "alter table runs alter column a set storage external" },
        { "postgres", "table-lock", "lock table runs", "lock table runs in row exclusive mode" },
        { "postgres", "table-lock", "do $$ begin lock t, only runs in share row exclusive mode; end $$", "do $$ declare lock bool; begin lock := true; end $$" },
        { "postgres", "table-lock", "refresh materialized view run_list", "refresh materialized view concurrently run_list" },
        { "postgres", "table-lock", "refresh materialized view public.run_list with data", "create materialized view run_list as select 1 with no data; refresh materialized view run_list" },
        { "postgres", "table-lock", "-- transaction: none\nvacuum full runs", "-- transaction: none\nvacuum runs" },
        { "postgres", "table-lock", "-- transaction: none\nvacuum (full, analyze) runs", "-- transaction: none\nvacuum (analyze) runs" },
        { "postgres", "table-lock", "alter table runs detach partition runs_2025", "-- transaction: none\nalter table runs detach partition runs_2025 concurrently" },
        { "postgres", "attach-partition", "alter table runs attach partition runs_2026 for values from (1) to (2)",
            "create table runs_2026 (a bigint); alter table runs attach partition runs_2026 for values from (1) to (2)" },
        { "postgres", "attach-partition", "alter table runs_2026 add constraint c check (a > 0) not valid; alter table runs attach partition runs_2026 default",
            "alter table runs_2026 validate constraint runs_2026_bounds; alter table runs attach partition runs_2026 for values from (1) to (2)" },
        { "postgres", "session-setting", "set search_path = archive", "insert into archive.runs (a) values (1)" },
        { "postgres", "session-setting", "set local search_path to archive", "create function f() returns int language sql set search_path = '' as $$ select 1 $$" },
        { "postgres", "session-setting", "set local schema 'archive'", "update runs set role = 'x' where role = 'y'" },
        { "postgres", "session-setting", "set role catalog_app", "set constraints all deferred" },
        { "postgres", "session-setting", "set session authorization catalog_app", "set transaction isolation level repeatable read" },
        { "postgres", "session-setting", "set work_mem = '64MB'", "set local work_mem = '64MB'" },
        { "postgres", "session-setting", "set session time zone 'UTC'", "set local time zone 'UTC'" },
        { "postgres", "session-setting", "reset all", "select 1 -- reset all\n" },
        { "postgres", "session-setting", "reset role", "select 'reset role'" },
        { "postgres", "session-setting", "discard all", "delete from runs where discard" },
        { "postgres", "session-setting", "do $$ begin perform set_config('search_path', 'archive', true); end $$", "do $$ begin perform set_config('work_mem', '64MB', true); end $$" },
        { "postgres", "session-setting", "select set_config('work_mem', '64MB', false)", "select current_setting('work_mem')" },
        { "postgres", "copy", "copy runs (a) from stdin", "insert into runs (a) values ('copy')" },
        { "postgres", "copy", "copy (select a from runs) to program 'cat'", "insert into archive select a from runs" },
        { "postgres", "copy", "do $$ begin copy runs from '/tmp/runs'; end $$", "create table copy (a text)" },
        { "postgres", "meta-command", "\\set ON_ERROR_STOP on\n", "select '\n\\set'" },
        { "postgres", "meta-command", "select 1\n\\gexec\n", "select E'\\\\'" },
        { "sqlite", "meta-command", "\\i other.sql", "select '\\'" },
        { "sqlite", "meta-command", ".mode csv", "select main.runs\n.a from runs" },
        { "postgres", "dynamic-sql", "do $$ begin execute 'drop table runs'; end $$", "do $$ begin raise notice 'execute'; end $$" },
        { "postgres", "dynamic-sql", "do $$ declare r record; begin for r in execute format('truncate %I', 'runs') loop null; end loop; end $$", "do $$ begin grant execute on function f() to catalog_app; end $$" },
        { "postgres", "dynamic-sql", "do 'begin drop table runs; end'", "do language plpgsql $$ begin create trigger t after insert on runs execute function f(); end $$" },
        { "postgres", "dynamic-sql", "do language plpython3u $$ plpy.run('drop table runs') $$", "prepare p as select 1; execute p" },
        { "postgres", "create-rule", "create or replace rule r as on insert to runs do instead nothing", "create trigger t before insert on runs for each row execute function f()" },
        { "postgres", "change-owner", "alter table runs owner to catalog_app", "alter table runs alter owner drop default" },
        { "postgres", "change-owner", "alter function f() owner to catalog_app", "create table t (owner text); alter table t rename owner to holder" },
        { "postgres", "change-owner", "reassign owned by a to b", "grant select on runs to catalog_app" },
        { "sqlite", "brackets", "create table t ([order] text)", "create table t (\"order\" text)" },
    };

    // What the script before has done for some of the safe ways.
    private const string Proofs = "alter table runs add constraint runs_owner_not_null check (owner is not null) not valid; alter table runs_2026 add constraint runs_2026_bounds check (a between 1 and 2) not valid";

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_rule_fires_on_what_is_dangerous_and_not_on_the_safe_way(string engine, string rule, string dangerous, string safe)
    {
        Assert.Equal([rule], Check(engine, ("0002_x.sql", dangerous)).Select(finding => finding.Rule).Distinct());
        Assert.Empty(Check(engine, ("0001_proof.sql", Proofs), ("0002_x.sql", safe)));
    }

    [Fact]
    public void Every_rule_has_an_example()
    {
        string[] elsewhere = ["waiver-unknown", "waiver-unused", "waiver-without-reason", "chain-broken"];

        Assert.Equal(LintRules.All.Select(rule => rule.Id).Order(), Rules.Select(row => row.Data.Item2).Concat(elsewhere).Distinct().Order());
    }

    [Fact]
    public void The_scripts_of_this_build_have_no_findings()
    {
        Assert.Equal(Directory.GetFiles(Path.Combine(ConventionTests.Root, "sql"), "*.sql", SearchOption.AllDirectories).Length, LintVerb.Check(null).Scripts);
        Assert.Empty(LintVerb.Check(null).Findings);
        Assert.Empty(LintVerb.Check(Path.Combine(ConventionTests.Root, "sql")).Findings);
    }

    [Fact]
    public void A_finding_names_its_line_and_the_safe_way_with_the_names_of_the_script()
    {
        var finding = Assert.Single(Check("postgres", ("0002_x.sql", "-- first\n\nalter table runs\n    add column a text,\n    alter column owner set not null;\n")));

        Assert.Equal(("postgres", "0002_x.sql", 5, "set-not-null"), (finding.Engine, finding.File, finding.Line, finding.Rule));
        Assert.Contains("runs.owner", finding.Message);
        Assert.Contains("alter table runs add constraint runs_owner_not_null check (owner is not null) not valid;\n", finding.Instead);
    }

    [Fact]
    public void The_safe_way_that_a_finding_prints_has_no_findings()
    {
        var steps = Assert.Single(Check("postgres", ("0001_x.sql", "alter table runs alter column owner set not null"))).Instead.Split("-- in the next script:\n");
        Assert.Empty(Check("postgres", ("0001_x.sql", steps[0]), ("0002_y.sql", steps[1])));

        var index = Assert.Single(Check("postgres", ("0001_x.sql", "create unique index runs_key on runs (a)"))).Instead;
        Assert.Empty(Check("postgres", ("0001_x.sql", index)));

        var unique = Assert.Single(Check("postgres", ("0001_x.sql", "alter table runs add column owner text unique"))).Instead.Split("-- in the next script:\n");
        Assert.Empty(Check("postgres", ("0001_x.sql", unique[0]), ("0002_y.sql", unique[1])));

        var attach = Assert.Single(Check("postgres", ("0001_x.sql", "alter table runs attach partition runs_2026 for values in ('a')"))).Instead.Split("-- in the next script:\n");
        Assert.Empty(Check("postgres", ("0001_x.sql", attach[0]), ("0002_y.sql", attach[1])));

        var setting = Assert.Single(Check("postgres", ("0001_x.sql", "set session work_mem = '64MB'"))).Instead;
        Assert.Equal("set local work_mem = '64MB';", setting);
        Assert.Empty(Check("postgres", ("0001_x.sql", setting)));
    }

    [Fact]
    public void A_proof_counts_until_it_is_dropped()
    {
        (string, string) Script(int number, string sql) => ($"000{number}_x.sql", sql);
        var added = Script(1, "alter table runs add constraint c check (owner is not null) not valid");
        var validated = Script(2, "alter table runs validate constraint c");
        var set = Script(4, "alter table runs alter column owner set not null");

        Assert.Empty(Check("postgres", added, validated, set));
        Assert.Equal(["set-not-null"], Check("postgres", added, set).Select(finding => finding.Rule));
        Assert.Equal(["drop-constraint", "set-not-null"], Check("postgres", added, validated, Script(3, "alter table runs drop constraint c"), set).Select(finding => finding.Rule));
    }

    [Fact]
    public void A_proof_of_bounds_counts_until_it_is_dropped()
    {
        var added = ("0001_x.sql", "alter table p add constraint c check (a > 0) not valid");
        const string attach = "alter table runs attach partition p for values from (1) to (2)";

        Assert.Empty(Check("postgres", added, ("0002_x.sql", "alter table p validate constraint c"), ("0003_x.sql", attach)));
        Assert.Equal(["attach-partition"], Check("postgres", added, ("0002_x.sql", "alter table p validate constraint c;\n-- lint: allow drop-constraint: it was of no use\nalter table p drop constraint c"), ("0003_x.sql", attach)).Select(finding => finding.Rule));
    }

    [Fact]
    public void SQLites_foreign_keys_are_the_runners_to_switch()
    {
        var finding = Assert.Single(Check("sqlite", ("0002_x.sql", "pragma foreign_keys = off")));

        Assert.Contains("pragma foreign_key_check", finding.Instead);
        Assert.DoesNotContain("defer", finding.Instead);
    }

    [Fact]
    public void A_waiver_that_says_too_little_is_told_how_much_is_enough() =>
        Assert.Contains("at least 10 characters", Check("postgres", ("0002_x.sql", "-- lint: allow drop-table: because\ndrop table runs;"))[0].Message);

    [Theory]
    [InlineData("select 1;\n-- Gr\u00fc\u00dfe\ndrop table runs;", "iso-8859-1", 2)]
    [InlineData("select 1;\nselect '\u00fc", "iso-8859-1", 2)]
    [InlineData("select 1;", "utf-16", 1)]
    [InlineData("select 1;", "utf-16BE", 1)]
    public void A_script_that_is_not_UTF8_is_unreadable(string text, string encoding, int line)
    {
        using var sql = new ScriptsDirectory();
        File.WriteAllBytes(Path.Combine(sql.Path, "postgres", "0002_x.sql"), Encoding.GetEncoding(encoding).GetBytes(text));
        File.WriteAllText(Path.Combine(sql.Path, "sqlite", "0002_x.sql"), "-- Gr\u00fc\u00dfe\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        var (scripts, findings) = LintVerb.Check(sql.Path);

        var finding = Assert.Single(findings);
        Assert.Equal((4, "postgres", "0002_x.sql", line, "unreadable"), (scripts, finding.Engine, finding.File, finding.Line, finding.Rule));
        Assert.Contains("UTF-8", finding.Message);
    }

    [Fact]
    public void A_finding_in_a_block_names_the_line_within_it()
    {
        var finding = Assert.Single(Check("postgres", ("0002_x.sql", "select 1;\ndo $$\nbegin\n    if true then\n        drop table runs;\n    end if;\nend $$;\n")));

        Assert.Equal((5, "drop-table"), (finding.Line, finding.Rule));
    }

    [Theory]
    [InlineData("-- lint: allow drop-table: not read since release 2.1\ndrop table runs;")]
    [InlineData("select 1;\n\n-- Runs live elsewhere now.\n-- lint: allow drop-table: not read since release 2.1\n-- The end.\ndrop table runs;")]
    [InlineData("drop table /* lint: allow drop-table: not read since release 2.1 */ runs;")]
    [InlineData("drop table runs -- LINT: allow drop-table: not read since release 2.1\n;")]
    [InlineData("do $$ begin\n-- lint: allow drop-table: not read since release 2.1\ndrop table runs; end $$")]
    public void A_waiver_in_front_of_a_statement_or_inside_it_allows_one_rule(string sql) => Assert.Empty(Check("postgres", ("0002_x.sql", sql)));

    [Theory]
    [InlineData("-- lint: allow drop-table\ndrop table runs;", "waiver-without-reason,drop-table")]
    [InlineData("-- lint: allow drop-table: because\ndrop table runs;", "waiver-without-reason,drop-table")]
    [InlineData("-- lint: allow drop-column: not read since release 2.1\ndrop table runs;", "waiver-unused,drop-table")]
    [InlineData("-- lint: allow drop-everything: not read since release 2.1\ndrop table runs;", "waiver-unknown,drop-table")]
    [InlineData("-- lint: ignore drop-table: not read since release 2.1\ndrop table runs;", "waiver-unknown,drop-table")]
    [InlineData("-- lint: allow drop-table: not read since release 2.1\nselect 1;\ndrop table runs;", "waiver-unused,drop-table")]
    [InlineData("drop table runs; -- lint: allow drop-table: not read since release 2.1", "drop-table,waiver-unused")]
    [InlineData("drop table runs; -- lint: allow drop-table: not read since release 2.1\ndrop table checks;", "drop-table,waiver-unused,drop-table")]
    [InlineData("-- lint: allow drop-table: not read since release 2.1\n", "waiver-unused")]
    public void A_waiver_that_gives_no_reason_or_waives_nothing_is_a_finding_itself(string sql, string rules) =>
        Assert.Equal(rules.Split(','), Check("postgres", ("0002_x.sql", sql)).OrderBy(finding => finding.Line).ThenByDescending(finding => rules.StartsWith(finding.Rule, StringComparison.Ordinal)).Select(finding => finding.Rule));

    [Theory]
    [InlineData("create table t (a text, constraint t_a_check check (a > '')); create index i on t (a)", "drop index i; alter table t drop constraint t_a_check; alter table t drop column a; drop table t")]
    [InlineData("alter table runs add column a text", "alter table runs drop column a")]
    [InlineData("alter table runs add constraint c check (a > 0) not valid", "alter table runs drop constraint c")]
    [InlineData("alter table runs add column a text constraint a_short references t", "alter table runs drop constraint a_short; alter table runs drop column a")]
    [InlineData("-- transaction: none\ncreate index concurrently i on runs (a)", "-- transaction: none\ndrop index concurrently i")]
    [InlineData("alter table runs enable row level security; alter table runs force row level security", "alter table runs no force row level security; alter table runs disable row level security")]
    [InlineData("create type s as enum ('a'); create sequence q; create schema a; create materialized view v as select 1", "drop materialized view v; drop schema a; drop sequence q; drop type s cascade")]
    [InlineData("create function f() returns int language sql as $$ select 1 $$; create trigger t after insert on runs execute function f()", "drop trigger t on runs cascade; drop function f() cascade")]
    [InlineData("-- lint: allow rename: the table is read by nobody yet\nalter table runs rename to executions", "alter table executions rename to runs")]
    [InlineData("-- lint: allow rename: the column is read by nobody yet\nalter table runs rename owner to holder", "alter table runs rename holder to owner")]
    public void A_way_back_may_take_away_what_its_script_made(string up, string down) =>
        Assert.Empty(Check("postgres", ("0002_x.sql", up), ("down/0002_x.sql", down)));

    [Theory]
    [InlineData("alter table runs add column a text", "alter table runs drop column b", "drop-column")]
    [InlineData("create table t (a text)", "drop table runs", "drop-table")]
    [InlineData("alter table runs add constraint c check (a > 0) not valid", "alter table runs drop constraint d", "drop-constraint")]
    [InlineData("-- transaction: none\ncreate index concurrently i on runs (a)", "drop index i", "index-not-concurrent")]
    [InlineData("-- transaction: none\ndrop index concurrently i", "create index i on runs (a)", "index-not-concurrent")]
    [InlineData("alter table runs drop column a -- lint: allow drop-column: not read since release 2.1\n", "alter table runs add column a text not null", "set-not-null")]
    [InlineData("create table n (a text);\n-- lint: allow drop-table: its rows were moved above\ndrop table runs; alter table n rename to runs", "drop table runs", "drop-table")]
    [InlineData("create type s as enum ('a')", "drop type u", "drop-object")]
    [InlineData("create sequence s", "drop type s", "drop-object")]
    [InlineData("alter table runs enable row level security", "alter table checks disable row level security", "disable-row-security")]
    public void A_way_back_may_do_no_more_than_that(string up, string down, string rule)
    {
        var finding = Assert.Single(Check("postgres", ("0002_x.sql", up), ("down/0002_x.sql", down)));

        Assert.Equal(("down/0002_x.sql", rule), (finding.File, finding.Rule));
    }

    [Fact]
    public void What_one_script_made_is_not_new_to_the_next() =>
        Assert.Equal(["index-not-concurrent"], Check("postgres", ("0001_a.sql", "create table t (a text)"), ("0002_b.sql", "create index i on t (a)")).Select(finding => finding.Rule));

    [Fact]
    public void A_table_that_is_dropped_first_is_not_the_scripts_own() =>
        Assert.Equal([1], Check("sqlite", ("0001_a.sql", "drop table runs;\ncreate table runs (a text);")).Select(finding => finding.Line));

    [Fact]
    public void Rules_of_locks_are_not_for_SQLite() =>
        Assert.Empty(Check("sqlite", ("0001_a.sql", "create index i on runs (a); create table t (id integer primary key, a timestamp, b char(3)); alter table runs add column a json references t; drop index i")));

    [Fact]
    public async Task The_console_says_findings_to_people_and_to_programs()
    {
        using var sql = new ScriptsDirectory();
        sql.Write("postgres/0002_x.sql", "create index i\n    on runs (a);\n");
        sql.Write("sqlite/0002_x.sql", "-- Nothing to do.\n");

        var said = await MigratorConsole.RunIn(Environment.CurrentDirectory, "lint", "--scripts", sql.Path);
        Assert.Equal(1, said.Exit);
        Assert.Equal(
            "postgres/0002_x.sql:1  index-not-concurrent  builds index i on runs, whose writers wait until it is done\n    -- transaction: none\n    create index concurrently i\n        on runs (a);\n1 finding in 4 scripts\n",
            said.Output);

        var json = await MigratorConsole.RunIn(Environment.CurrentDirectory, "lint", "--scripts", sql.Path, "--json");
        using var document = JsonDocument.Parse(json.Output);
        Assert.Equal((1, 4), (json.Exit, document.RootElement.GetProperty("scripts").GetInt32()));
        var finding = Assert.Single(document.RootElement.GetProperty("findings").EnumerateArray());
        Assert.Equal(["engine", "file", "line", "rule", "message", "instead"], finding.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("postgres", "0002_x.sql", 1), (finding.GetProperty("engine").GetString(), finding.GetProperty("file").GetString(), finding.GetProperty("line").GetInt32()));
    }

    [Fact]
    public async Task The_console_lists_its_rules_and_finds_nothing_in_its_own_scripts()
    {
        var clean = await MigratorConsole.RunIn(Environment.CurrentDirectory, "lint");
        Assert.Equal((0, true), (clean.Exit, clean.Output.StartsWith("no findings in ", StringComparison.Ordinal)));

        var rules = await MigratorConsole.RunIn(Environment.CurrentDirectory, "lint", "--rules");
        Assert.Equal(0, rules.Exit);
        Assert.All(LintRules.All, rule => Assert.Contains($"\n{rule.Id} ", rules.Output));
    }

    [Fact]
    public async Task A_gap_in_the_numbers_and_a_directory_without_scripts_are_told()
    {
        using var sql = new ScriptsDirectory();
        sql.Write("sqlite/0003_x.sql", "select 1");

        var finding = Assert.Single(LintVerb.Check(sql.Path).Findings);

        Assert.Equal(("sqlite", "chain-broken"), (finding.Engine, finding.Rule));
        Assert.Contains("0002 is missing", finding.Message);
        Assert.Contains("has no folder postgres", (await MigratorConsole.RunIn(Environment.CurrentDirectory, "lint", "--scripts", Path.Combine(sql.Path, "sqlite"))).Errors);
    }

    private static IReadOnlyList<LintFinding> Check(string engine, params (string Path, string Text)[] scripts)
    {
        var linter = new Linter(engine);
        linter.Check(scripts.ToDictionary(script => script.Path, script => script.Text));
        return linter.Findings;
    }
}
