using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>
/// Reads the live schema from the system catalogs: the objects in the first schema of the search path, without those of
/// extensions, foreign tables and the migrator's tables.
/// </summary>
internal sealed class PostgresSchemaReader : SchemaReader
{
    // The description has no column numbers, so a column that was dropped and added again looks the same. Postgres 18
    // also lists not-null constraints. They are left out, because the lines of the columns contain them. Postgres
    // writes "case" in several lines. They are joined, because a description is one line.
    internal const string Sql = $"""
        -- PostgresSchemaReader.Describe
        with left_out as (select 0::oid as classid, 0::oid as objid where false), ours as (
            select c.oid, c.relname, c.relkind, c.relpersistence, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
                c.relpartbound
            from pg_class c
            where c.relnamespace = current_schema()::regnamespace and c.relkind <> 'f' and c.relname not in ('schemaversions',
                'schema_history')
              and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
        {OfTables}
        union all
        select format('trigger %s.%s %s%s', t.relname, g.tgname, pg_get_triggerdef(g.oid), case g.tgenabled when 'O' then '' when 'D'
            then ' disabled' else ' enabled ' || g.tgenabled::text end)
        from tables t
        join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
        union all
        select format('%s %s%s %s', case relkind when 'v' then 'view' else 'materialized view' end, relname, coalesce(' with ('
            || array_to_string(reloptions, ', ') || ')', ''), regexp_replace(pg_get_viewdef(oid), '\s+', ' ', 'g'))
        from ours
        where relkind in ('v', 'm')
        union all
        select format('rule %s.%s %s', o.relname, r.rulename, pg_get_ruledef(r.oid))
        from ours o
        join pg_rewrite r on r.ev_class = o.oid and r.rulename <> '_RETURN'
        union all
        select 'sequence ' || relname
        from ours o
        where relkind = 'S'
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = o.oid and d.deptype = 'i')
          -- The key of a journal that DbUp created is a serial.
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = o.oid and d.deptype = 'a'
              and d.refobjid in (to_regclass('schemaversions'), to_regclass('schema_history')))
        union all
        select format('function %s(%s) returns %s %s', p.proname, pg_get_function_identity_arguments(p.oid),
            coalesce(pg_get_function_result(p.oid), '-'),
            md5(p.prosrc) || case when p.prosecdef then ' security definer' else '' end || coalesce(' set ' || array_to_string(p.proconfig,
                ', '), ''))
        from pg_proc p
        where p.pronamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
        union all
        select format('type %s %s', y.typname, coalesce((select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
            from pg_enum e where e.enumtypid = y.oid), format_type(y.typbasetype, y.typtypmod) || case when y.typnotnull then ' not null'
            else '' end
            || coalesce((select ' ' || string_agg(pg_get_constraintdef(k.oid), ' ' order by k.conname) from pg_constraint k
                where k.contypid = y.oid), '')))
        from pg_type y
        where y.typnamespace = current_schema()::regnamespace and y.typtype in ('e', 'd')
          and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = y.oid and d.deptype = 'e')
        """;

    /// <summary>
    /// Describes only the Catalog's tables. Leaves out the migrator's tables, and the objects of the Catalog's tables
    /// that a backup does not contain.
    /// </summary>
    internal const string Own = $"""
        -- PostgresSchemaReader.DescribeOwn
        with left_out as (
        {PostgresOwnObjects.Excluded}
        ), ours as (
            select c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relpartbound
            from pg_class c
            where c.oid in ({PostgresOwnObjects.TableOids}) and c.relname not in ('schemaversions', 'schema_history')
        {OfTables}
        """;

    private const string OfTables = """
        ), tables as (select * from ours where relkind in ('r', 'p'))
        select 'table ' || relname
            || case when relkind = 'p' then ' partition by ' || pg_get_partkeydef(oid) else '' end
            || case when relispartition then ' partition ' || pg_get_expr(relpartbound, oid) else '' end
            || case when relrowsecurity then ' row security' else '' end
            || case when relforcerowsecurity then ' forced' else '' end
            || case when relpersistence = 'p' then '' else ' unlogged' end
        from tables
        union all
        select format('column %s.%s %s%s%s%s', t.relname, a.attname, format_type(a.atttypid, a.atttypmod),
            case when a.attcollation <> 0 and a.attcollation <> y.typcollation then ' collate ' || quote_ident(l.collname) else '' end,
            case when a.attnotnull then ' not null' else '' end,
            case when a.attidentity <> '' then ' identity'
                 when a.attgenerated <> '' then ' generated ' || pg_get_expr(d.adbin, d.adrelid)
                 when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end)
        from tables t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        join pg_type y on y.oid = a.atttypid
        left join pg_collation l on l.oid = a.attcollation
        left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
        union all
        select format('constraint %s.%s %s', t.relname, k.conname, pg_get_constraintdef(k.oid))
        from tables t
        join pg_constraint k on k.conrelid = t.oid and k.contype in ('p', 'u', 'f', 'c', 'x')
        where ('pg_constraint'::regclass, k.oid) not in (select * from left_out)
        union all
        select format('index %s.%s %s%s', t.relname, c.relname,
            regexp_replace(regexp_replace(pg_get_indexdef(i.indexrelid), '\n *', ' ', 'g'), '^.* (USING .*)$', '\1'),
            case when i.indisunique then ' unique' else '' end || case when i.indisvalid then '' else ' invalid' end)
        from tables t
        join pg_index i on i.indrelid = t.oid
        join pg_class c on c.oid = i.indexrelid
        where not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = t.oid and k.contype in ('p', 'u',
            'x'))
          and ('pg_class'::regclass, i.indexrelid) not in (select * from left_out)
        union all
        select format('policy %s.%s %s for %s to %s using %s with check %s', p.tablename, p.policyname, lower(p.permissive), lower(p.cmd),
            array_to_string(p.roles, ', '), coalesce(p.qual, '-'), coalesce(p.with_check, '-'))
        from pg_policies p
        join tables t on t.relname = p.tablename
        join pg_policy y on y.polrelid = t.oid and y.polname = p.policyname
        where p.schemaname = current_schema() and ('pg_policy'::regclass, y.oid) not in (select * from left_out)
        """;

    /// <summary>Runs <see cref="Own"/>.</summary>
    public override async Task<List<string>> DescribeOwn(DbConnection connection, CancellationToken ct) =>
        (await connection.QueryAsync<string>(new CommandDefinition(Own, cancellationToken: ct))).AsList();

    /// <summary>
    /// Runs <see cref="Sql"/>. The search path must be the Catalog's schema alone: Postgres writes the schema name
    /// before objects outside of it, so with another path the descriptions would differ.
    /// </summary>
    public override async Task<List<string>> Describe(DbConnection connection, CancellationToken ct) =>
        (await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct))).AsList();

    public override async Task<List<string>> InvalidIndexes(DbConnection connection, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresSchemaReader.InvalidIndexes
            select i.indexrelid::regclass::text
            from pg_index i
            join pg_class c on c.oid = i.indexrelid
            where not i.indisvalid and c.relnamespace = current_schema()::regnamespace
            order by 1
            """;

        return (await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct))).AsList();
    }

    public override async Task<string> DatabaseName(DbConnection connection, CancellationToken ct) =>
        (await connection.ExecuteScalarAsync<string>(new CommandDefinition("select current_database()", cancellationToken: ct)))!;

    // Partitioned tables are left out, because their partitions contain the rows.
    public override string FindRowTables => $"""
        select quote_ident(c.relname)
        from pg_class c
        where c.relkind = 'r' and c.oid in ({PostgresOwnObjects.TableOids})
        order by 1
        """;

    public override string FindVersion => "select current_setting('server_version')";
}
