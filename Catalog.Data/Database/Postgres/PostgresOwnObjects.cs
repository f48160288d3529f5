namespace Catalog.Data.Database.Postgres;

/// <summary>
/// Queries that separate the Catalog's objects from other objects in the same schema or on the same tables.
/// </summary>
internal static class PostgresOwnObjects
{
    /// <summary>The tables of the Catalog and of the migrator, as a list of SQL literals.</summary>
    internal const string TableNames = PostgresGrants.TableNames + ", 'schemaversions', 'schema_history'";

    /// <summary>
    /// Objects on those tables that a backup does not contain (<c>classid</c>, <c>objid</c>): triggers, rules,
    /// statistics, policies for a named role, and indexes, constraints and policies that depend on objects other than
    /// these tables and the objects that every server has.
    /// </summary>
    internal const string Excluded = $"""
        select 'pg_trigger'::regclass::oid as classid, g.oid as objid
        from pg_trigger g
        where g.tgrelid in ({TableOids}) and not g.tgisinternal
        union all
        select 'pg_rewrite'::regclass, r.oid
        from pg_rewrite r
        where r.ev_class in ({TableOids})
        union all
        select 'pg_statistic_ext'::regclass, s.oid
        from pg_statistic_ext s
        where s.stxrelid in ({TableOids})
        union all
        select 'pg_policy'::regclass, p.oid
        from pg_policy p
        where p.polrelid in ({TableOids})
          and (p.polroles <> '{"{0}"}' or exists (select from pg_depend d where d.classid = 'pg_policy'::regclass and d.objid = p.oid and {DependsOnOthers}))
        union all
        select 'pg_constraint'::regclass, k.oid
        from pg_constraint k
        where k.conrelid in ({TableOids}) and k.contype in ('p', 'u', 'x', 'f')
          and exists (
              select from pg_depend d
              where {DependsOnOthers}
                and ((d.classid = 'pg_constraint'::regclass and d.objid = k.oid) or (k.contype <> 'f' and d.classid = 'pg_class'::regclass
                    and d.objid = k.conindid)))
        union all
        select 'pg_class'::regclass, i.indexrelid
        from pg_index i
        where i.indrelid in ({TableOids}) and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p',
            'u', 'x'))
          and exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid and {DependsOnOthers})
        """;

    /// <summary>
    /// Objects that the definitions of the tables need, but that belong neither to the Catalog nor to every server
    /// (<c>part</c> is the part of the table that needs the object <c>required</c>): the type or collation of a column
    /// that others added, a function or sequence in a default, in a generated column or in a check, and a parent table.
    /// pg_dump cannot leave these objects out of a table's definition, so they must exist where the backup is restored.
    /// </summary>
    internal const string Requirements = $"""
        select distinct pg_describe_object(d.classid, d.objid, d.objsubid) as part, pg_describe_object(d.refclassid, d.refobjid,
            d.refobjsubid) as required
        from pg_depend d
        where d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_collation'::regclass,
            'pg_operator'::regclass) and {DependsOnOthers}
          and not (d.refclassid = 'pg_type'::regclass and exists (select from pg_type y where y.oid = d.refobjid
              and (y.typrelid in ({TableOids})
              or exists (select from pg_type e where e.oid = y.typelem and e.typrelid in ({TableOids})))))
          and not (d.refclassid = 'pg_class'::regclass and exists (select from pg_depend o where o.classid = 'pg_class'::regclass
              and o.objid = d.refobjid
              and o.refclassid = 'pg_class'::regclass and o.refobjid in ({TableOids}) and o.deptype in ('a', 'i')))
          and ((d.classid = 'pg_class'::regclass and d.objid in ({TableOids}))
            or (d.classid = 'pg_attrdef'::regclass and d.objid in (select f.oid from pg_attrdef f where f.adrelid in ({TableOids})))
            or (d.classid = 'pg_constraint'::regclass and d.objid in (select k.oid from pg_constraint k where k.conrelid in ({TableOids})
                and k.contype = 'c')))
        """;

    /// <summary>
    /// Other objects in the schema that belong to no extension. Returns classid and objid, like <see cref="Excluded"/>.
    /// </summary>
    internal const string Others = $"""
        select 'pg_class'::regclass::oid as classid, c.oid as objid
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.oid not in ({TableOids})
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('e', 'a',
              'i'))
        union all
        select 'pg_proc'::regclass, p.oid
        from pg_proc p
        where p.pronamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
        union all
        select 'pg_type'::regclass, y.oid
        from pg_type y
        where y.typnamespace = current_schema()::regnamespace and (y.typtype in ('e', 'd', 'r') or exists (select from pg_class c
            where c.oid = y.typrelid and c.relkind = 'c'))
          and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = y.oid and d.deptype = 'e')
        """;

    /// <summary>The oids of the existing Catalog and migrator tables.</summary>
    internal const string TableOids = $"""
        select own.oid from pg_class own where own.relnamespace = current_schema()::regnamespace and own.relkind in ('r', 'p')
            and own.relname in ({TableNames})
        """;

    // Objects that initdb creates have oids below 16384, even when they are not pinned.
    private const string DependsOnOthers = $"""
        d.refobjid >= 16384
        and not (d.refclassid = 'pg_class'::regclass and (d.refobjid in ({TableOids}) or exists (select from pg_index own
            where own.indexrelid = d.refobjid and own.indrelid in ({TableOids}))))
        and not (d.refclassid = 'pg_constraint'::regclass and exists (select from pg_constraint own where own.oid = d.refobjid
            and own.conrelid in ({TableOids})))
        """;
}
