using Catalog.Data.Migrations;
using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Catalog.Data.Migrations.Postgres;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>
/// What stands around a dump when psql restores it: one transaction that ends in a commit only when every row is there and the schema is
/// the one that was backed up. Without this closing text, whatever cut the dump, nothing is committed.
/// </summary>
public static partial class PostgresRestore
{
    /// <summary>What begins a message that says that the dump is not what its manifest says.</summary>
    public const string Mismatch = "backup mismatch: ";

    /// <summary>What is in the Catalog's schema that a restore would meet, by name. Other schemas are none of its business.</summary>
    public static async Task<IReadOnlyList<string>> Occupants(DbConnection connection, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresRestore.Occupants
            select c.oid::regclass::text
            from pg_class c
            where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.relnamespace = current_schema()::regnamespace
              and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
            order by 1
            """;

        return (await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct))).AsList();
    }

    /// <summary>The text before the dump.</summary>
    /// <param name="connection">Open on the target.</param>
    /// <param name="schema">The Catalog's schema; it is made, in the same transaction, where it is missing.</param>
    /// <param name="clear">Whether what is in the schema is taken away first, in the same transaction.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="MigrationException">This role may not make the schema, or not create in it.</exception>
    public static async Task<string> Opening(DbConnection connection, string schema, bool clear, CancellationToken ct)
    {
        var create = await PostgresSchema.Missing(connection, schema, ct) is { } statement ? statement + ";\n" : "";
        return $"set client_min_messages = warning;\nset search_path = \"{schema}\";\nbegin;\n{create}{(clear ? Clear : "")}";
    }

    /// <summary>The text after the dump: compares, then commits.</summary>
    /// <param name="schema">The Catalog's schema.</param>
    /// <param name="rows">See <see cref="DatabaseContents.Rows"/>.</param>
    /// <param name="fingerprint">See <see cref="DatabaseContents.Fingerprint"/>.</param>
    /// <param name="revision">The newest revision that the journal must name; null: the journal is empty.</param>
    /// <param name="receipt">What psql prints when the commit is done: a script that has psql leave early ends well too.</param>
    /// <exception cref="FormatException">A table's name is none.</exception>
    public static string Closing(string schema, IReadOnlyDictionary<string, long> rows, string fingerprint, string? revision, Guid receipt)
    {
        if (rows.Keys.FirstOrDefault(table => !TableName().IsMatch(table)) is { } odd)
        {
            throw new FormatException($"{odd} is no table's name.");
        }

        if (!Hash().IsMatch(fingerprint))
        {
            throw new FormatException("the schema's fingerprint is no SHA-256.");
        }

        // A tag that no dump can know in advance, so that no name can end the text early.
        var tag = $"$check_{Guid.NewGuid():N}$";
        var text = new StringBuilder($"set local search_path = \"{schema}\";\ndo {tag}\ndeclare\n    present bigint;\nbegin\n");
        foreach (var (table, count) in rows)
        {
            var quoted = table.Replace("'", "''", StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture, $"    if to_regclass('{quoted}') is null then raise exception '{Mismatch}table % is missing', '{quoted}'; end if;\n");
            text.Append(CultureInfo.InvariantCulture, $"    select count(*) into present from {table};\n");
            text.Append(CultureInfo.InvariantCulture, $"    if present <> {count} then raise exception '{Mismatch}table % has % rows, the manifest says {count}', '{quoted}', present; end if;\n");
        }

        if (revision is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"    if (select max(scriptname collate \"C\") from schemaversions) is distinct from '{revision.Replace("'", "''", StringComparison.Ordinal)}.sql' then raise exception '{Mismatch}the journal does not end at {revision.Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal)}'; end if;\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"    if (select encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' order by line collate \"C\"), ''), 'UTF8')), 'hex') from (\n{PostgresSchemaReader.Sql}\n) as described(line)) <> '{fingerprint}' then\n");
        text.Append(CultureInfo.InvariantCulture, $"        raise exception '{Mismatch}the schema is not the one that was backed up';\n    end if;\nend {tag};\ncommit;\nselect '{receipt}';\n");
        return text.ToString();
    }

    // What belongs to an extension stays with it.
    private const string Clear = """
        do $clear$
        declare
            one record;
            outside text;
        begin
            -- What lies elsewhere and hangs on these tables is not in the backup, and would go without a word.
            select string_agg(distinct hangs.name, ', ') into outside
            from (select v.oid::regclass::text as name
                  from pg_depend d
                  join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
                  join pg_class v on v.oid = r.ev_class and v.relnamespace <> current_schema()::regnamespace
                  join pg_class t on t.oid = d.refobjid and t.relnamespace = current_schema()::regnamespace
                  union all
                  select c.oid::regclass::text
                  from pg_constraint k
                  join pg_class c on c.oid = k.conrelid and c.relnamespace <> current_schema()::regnamespace
                  join pg_class t on t.oid = k.confrelid and t.relnamespace = current_schema()::regnamespace
                  where k.contype = 'f') hangs;
            if outside is not null then
                raise exception 'outside the Catalog''s schema these depend on what would be taken away: %. Drop them first', outside;
            end if;
            for one in
                select format('drop %s if exists %s cascade', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end, c.oid::regclass) as statement
                from pg_class c
                where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
                  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('e', 'a', 'i'))
                union all
                select format('drop routine if exists %s cascade', p.oid::regprocedure)
                from pg_proc p
                where p.pronamespace = current_schema()::regnamespace and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
                union all
                select format('drop type if exists %s cascade', y.oid::regtype)
                from pg_type y
                where y.typnamespace = current_schema()::regnamespace and y.typtype in ('e', 'd') and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = y.oid and d.deptype = 'e')
            loop
                execute one.statement;
            end loop;
        end $clear$;

        """;

    [GeneratedRegex("^(([a-z_][a-z0-9_$]*|\"([^\"\0]|\"\")+\")\\.)?([a-z_][a-z0-9_$]*|\"([^\"\0]|\"\")+\")\\z")]
    private static partial Regex TableName();

    [GeneratedRegex("^[0-9a-f]{64}\\z")]
    private static partial Regex Hash();
}
