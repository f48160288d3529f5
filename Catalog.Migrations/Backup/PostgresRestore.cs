using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
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

    /// <summary>The Catalog's tables, and the migrator's, that a restore would meet, by name. What others have beside them is none of its business.</summary>
    public static async Task<IReadOnlyList<string>> Occupants(DbConnection connection, CancellationToken ct)
    {
        const string Sql = $"""
            -- PostgresRestore.Occupants
            select c.oid::regclass::text from pg_class c where c.oid in ({PostgresOwnObjects.TableOids}) order by 1
            """;

        return (await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct))).AsList();
    }

    /// <summary>The text before the dump.</summary>
    /// <param name="connection">Open on the target.</param>
    /// <param name="schema">The Catalog's schema; it is made, in the same transaction, where it is missing.</param>
    /// <param name="clear">Whether the Catalog's tables are taken away first, in the same transaction.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="MigrationException">This role may not make the schema, or not create in it.</exception>
    public static async Task<string> Opening(DbConnection connection, string schema, bool clear, CancellationToken ct)
    {
        var create = await PostgresSchema.CreationSql(connection, schema, ct) is { } statement ? statement + ";\n" : "";
        return $"set client_min_messages = warning;\nset search_path = \"{schema}\";\nbegin;\n{create}{(clear ? Clear : "")}";
    }

    /// <summary>The text after the dump: compares, then commits.</summary>
    /// <param name="schema">The Catalog's schema.</param>
    /// <param name="rows">See <see cref="DatabaseContents.Rows"/>.</param>
    /// <param name="fingerprint">See <see cref="DatabaseContents.Fingerprint"/>.</param>
    /// <param name="revision">The newest revision that the journal must name; null: the journal is empty.</param>
    /// <param name="everything">Whether the fingerprint is of all that lay in the schema, as earlier builds made them.</param>
    /// <param name="receipt">What psql prints when the commit is done: a script that has psql leave early ends well too.</param>
    /// <exception cref="FormatException">A table's name is none.</exception>
    public static string Closing(string schema, IReadOnlyDictionary<string, long> rows, string fingerprint, string? revision, bool everything, Guid receipt)
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

        // The target may hold things of others, which such a fingerprint has not.
        string[] descriptions = everything ? [PostgresSchemaReader.Own, PostgresSchemaReader.Sql] : [PostgresSchemaReader.Own];
        text.Append(CultureInfo.InvariantCulture, $"    if '{fingerprint}' not in ({string.Join(", ", descriptions.Select(Hashed))}) then\n");
        text.Append(CultureInfo.InvariantCulture, $"        raise exception '{Mismatch}the schema is not the one that was backed up';\n    end if;\nend {tag};\ncommit;\nselect '{receipt}';\n");
        return text.ToString();
    }

    private static string Hashed(string description) =>
        $"(select encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' order by line collate \"C\"), ''), 'UTF8')), 'hex') from (\n{description}\n) as described(line))";

    // Without cascade: what of others hangs on these tables is in no backup, and would go without a word.
    private const string Clear = $"""
        do $clear$
        declare
            hanging text;
        begin
            execute (select 'drop table ' || string_agg(c.oid::regclass::text, ', ') from pg_class c where c.oid in ({PostgresOwnObjects.TableOids}));
        exception when dependent_objects_still_exist then
            get stacked diagnostics hanging = pg_exception_detail;
            raise exception 'others have made what depends on the tables that would be taken away: %. Drop that first', replace(hanging, E'\n', '; ');
        end $clear$;

        """;

    [GeneratedRegex("^(([a-z_][a-z0-9_$]*|\"([^\"\0]|\"\")+\")\\.)?([a-z_][a-z0-9_$]*|\"([^\"\0]|\"\")+\")\\z")]
    private static partial Regex TableName();

    [GeneratedRegex("^[0-9a-f]{64}\\z")]
    private static partial Regex Hash();
}
