using System.Data.Common;
using Dapper;

namespace Catalog.Data.Migrations.Sqlite;

/// <summary>Reads the live schema of a file, in the format of <see cref="Postgres.PostgresSchemaReader"/> with SQLite's types.</summary>
internal sealed class SqliteSchemaReader : SchemaReader
{
    public override async Task<List<string>> Describe(DbConnection connection, CancellationToken ct)
    {
        const string Columns = """
            -- SqliteSchemaDescription.Read columns
            select 'column ' || m.name || '.' || x.name || ' ' || lower(x.type) || case when x."notnull" then ' not null' else '' end
                || case when x.dflt_value is not null then ' default ' || x.dflt_value else '' end || case when x.hidden > 1
                    then ' generated' else '' end
            from sqlite_master m, pragma_table_xinfo(m.name) x
            where m.type = 'table' and lower(m.name) not in ('schemaversions', 'schema_history') and m.name not like 'sqlite\_%' escape '\'
            """;
        const string Keys = """
            -- SqliteSchemaDescription.Read keys
            select 'primary key ' || name || ' (' || group_concat(key, ', ') || ')'
            from (select m.name, x.name as key
                  from sqlite_master m, pragma_table_xinfo(m.name) x
                  where m.type = 'table' and x.pk > 0 and lower(m.name) not in ('schemaversions', 'schema_history')
                      and m.name not like 'sqlite\_%' escape '\'
                  order by m.name, x.pk)
            group by name
            union all
            select 'foreign key ' || m.name || ' ' || f.id || '.' || f.seq || ' (' || f."from" || ') references ' || f."table" || ' ('
                || coalesce(f."to", '') || ') on delete ' || lower(f.on_delete) || ' on update ' || lower(f.on_update)
            from sqlite_master m, pragma_foreign_key_list(m.name) f
            where m.type = 'table'
            """;
        const string Definitions = """
            -- SqliteSchemaDescription.Read definitions
            select type, name, tbl_name as table_name, sql
            from sqlite_master
            where sql is not null and lower(tbl_name) not in ('schemaversions', 'schema_history') and name not like 'sqlite\_%' escape '\'
            """;

        async Task<IEnumerable<T>> Query<T>(string sql) =>
            await connection.QueryAsync<T>(new CommandDefinition(sql, cancellationToken: ct));
        return
        [
            .. await Query<string>(Columns),
            .. await Query<string>(Keys),
            .. (await Query<Definition>(Definitions)).SelectMany(Lines),
        ];
    }

    // SQLite stores constraints only as text. The tokens are joined again, so that spacing and comments do not matter.
    private static IEnumerable<string> Lines(Definition definition)
    {
        var tokens = StatementSplitter.Statements(definition.Sql)[0].Tokens;
        switch (definition.Type)
        {
            case "table":
                yield return $"table {definition.Name}";
                for (var i = 0; i + 2 < tokens.Count; i++)
                {
                    if (tokens[i].Is("constraint") && (tokens[i + 2].Is("check") || tokens[i + 2].Is("unique")))
                    {
                        yield return $"constraint {definition.Name}.{tokens[i + 1].Text} {Join(Parenthesised(tokens, i + 2))}";
                    }
                }

                break;
            case "index":
                var on = tokens.Index().First(token => token.Item.Is("on")).Index;
                yield return $"index {definition.TableName}.{definition.Name} "
                    + $"{Join(tokens.Skip(on + 2))}{(tokens[1].Is("unique") ? " unique" : "")}";
                break;
            default:
                yield return $"{definition.Type} {definition.Name} {Join(tokens)}";
                break;
        }
    }

    private static IEnumerable<SqlToken> Parenthesised(IReadOnlyList<SqlToken> tokens, int from)
    {
        var depth = 0;
        for (var i = from; i < tokens.Count; i++)
        {
            yield return tokens[i];
            depth += tokens[i].Is("(") ? 1 : tokens[i].Is(")") ? -1 : 0;
            if (depth == 0 && tokens[i].Is(")"))
            {
                yield break;
            }
        }
    }

    private static string Join(IEnumerable<SqlToken> tokens) =>
        string.Join(' ', tokens.Select(token => token.Kind == SqlTokenKind.Word ? token.Text.ToLowerInvariant() : token.Text))
        .Replace("( ", "(", StringComparison.Ordinal).Replace(" )", ")", StringComparison.Ordinal)
        .Replace(" ,", ",", StringComparison.Ordinal);

    private sealed record Definition
    {
        public required string Type { get; init; }

        public required string Name { get; init; }

        public required string TableName { get; init; }

        public required string Sql { get; init; }
    }

    public override Task<List<string>> InvalidIndexes(DbConnection connection, CancellationToken ct) => Task.FromResult<List<string>>([]);

    public override Task<string> DatabaseName(DbConnection connection, CancellationToken ct) =>
        Task.FromResult(Path.GetFileName(connection.DataSource));

    public override string FindRowTables => """
        select case when name glob '*[^a-z0-9_]*' then '"' || replace(name, '"', '""') || '"' else name end
        from sqlite_master
        where type = 'table' and name not like 'sqlite\_%' escape '\'
        order by name
        """;

    public override string FindVersion => "select sqlite_version()";
}
