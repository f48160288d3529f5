using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Transfer;

/// <summary>Reads the definitions of the target's tables from the system catalogs of Postgres.</summary>
internal static class PostgresTables
{
    /// <summary>Reads the tables of the current schema, without the migrator's tables, tables of extensions and partitions.</summary>
    /// <exception cref="MigrationException">A column has an unsupported type.</exception>
    public static async Task<IReadOnlyList<TransferTable>> Read(NpgsqlConnection connection, CancellationToken ct)
    {
        const string OwnTables = """
            with own as (
                select c.oid, c.relname
                from pg_class c
                where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                    and c.relname not in ('schemaversions', 'schema_history')
                  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
            )
            """;
        const string Columns = $"""
            -- PostgresTables.Read columns
            {OwnTables}
            select t.relname as table_name, a.attname as name, y.typname as type, a.atttypmod as modifier, not a.attnotnull as nullable,
                   coalesce(array_position(k.conkey, a.attnum), 0) as place, coalesce(l.collname in ('C', 'POSIX'), true) as bytewise_order
            from own t
            join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            join pg_type y on y.oid = a.atttypid
            left join pg_collation l on l.oid = a.attcollation
            left join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
            order by t.relname, a.attnum
            """;
        const string Groups = $"""
            -- PostgresTables.Read groups
            {OwnTables}
            select t.relname as table_name, 'check' as kind, k.conname as name,
                   array(select a.attname::text from unnest(k.conkey) n join pg_attribute a on a.attrelid = t.oid
                       and a.attnum = n) as columns
            from own t
            join pg_constraint k on k.conrelid = t.oid and k.contype = 'c'
            union all
            select t.relname, 'index', c.relname,
                   array(select a.attname::text from unnest(i.indkey::int2[]) n join pg_attribute a on a.attrelid = t.oid and a.attnum = n)
            from own t
            join pg_index i on i.indrelid = t.oid
            join pg_class c on c.oid = i.indexrelid
            union all
            select t.relname, 'reference', k.conname, array[k.confrelid::regclass::text]
            from own t
            join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
            """;

        var columns = (await connection.QueryAsync<ColumnRow>(new CommandDefinition(Columns, cancellationToken: ct)))
            .ToLookup(row => row.TableName, StringComparer.Ordinal);
        var groups = (await connection.QueryAsync<GroupRow>(new CommandDefinition(Groups, cancellationToken: ct)))
            .ToLookup(row => row.TableName, StringComparer.Ordinal);
        return [.. columns.Select(table => Table(table.Key, [.. table], [.. groups[table.Key]]))];
    }

    private static TransferTable Table(string name, List<ColumnRow> rows, List<GroupRow> groups)
    {
        IReadOnlyList<int> Places(IEnumerable<string> names) =>
            [.. names.Select(name => rows.FindIndex(row => row.Name == name)).Where(place => place >= 0)];
        return new TransferTable(
            name,
            [.. rows.Select(Column)],
            [.. rows.Index().Where(row => row.Item.Place > 0).OrderBy(row => row.Item.Place).Select(row => row.Index)],
            [.. groups.Where(group => group.Kind == "check").Select(group => (group.Name, Places(group.Columns)))],
            [.. groups.Where(group => group.Kind == "index").Select(group => (group.Name, Places(group.Columns)))],
            [.. groups.Where(group => group.Kind == "reference").SelectMany(group => group.Columns).Distinct(StringComparer.Ordinal)]);
    }

    private static TransferColumn Column(ColumnRow row) => new(row.Name, row.Type switch
    {
        "text" or "varchar" => ColumnKind.Text,
        "bool" => ColumnKind.Boolean,
        "int2" => ColumnKind.Int16,
        "int4" => ColumnKind.Int32,
        "int8" => ColumnKind.Int64,
        "float8" => ColumnKind.Double,
        "timestamptz" => ColumnKind.Instant,
        "uuid" => ColumnKind.Uuid,
        "bytea" => ColumnKind.Bytes,
        var type => throw new MigrationException(MigrationFault.NotMovable,
            $"Column {row.TableName}.{row.Name} of the target has type {type}, which a transfer does not support. "
                + "Remove the column or change its type, then run the transfer again."),
    }, row.Nullable, row is { Type: "varchar", Modifier: > 4 } ? row.Modifier - 4 : null, row.Place > 0, row.BytewiseOrder);

    private sealed record ColumnRow
    {
        public required string TableName { get; init; }

        public required string Name { get; init; }

        public required string Type { get; init; }

        public required int Modifier { get; init; }

        public required bool Nullable { get; init; }

        public required int Place { get; init; }

        public required bool BytewiseOrder { get; init; }
    }

    private sealed record GroupRow
    {
        public required string TableName { get; init; }

        public required string Kind { get; init; }

        public required string Name { get; init; }

        public required string[] Columns { get; init; }
    }
}
