using System.Text;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Preview;

/// <summary>Builds the SQL of a migration, including journal rows, for <c>psql</c> or <c>sqlite3</c>.</summary>
internal static class MigrationPreview
{
    /// <summary>Returns the SQL that migrates from one position in the chain to another, up or down.</summary>
    /// <param name="dialect">The engine's SQL for migrations.</param>
    /// <param name="preview">The engine's SQL for previews.</param>
    /// <param name="chain">The scripts.</param>
    /// <param name="from">The position to start at; see <see cref="Chain.Position(string, int)"/>.</param>
    /// <param name="to">The position to end at.</param>
    /// <param name="appRole">The service's role, which is granted the required privileges if it exists.</param>
    /// <exception cref="MigrationException">A down script is missing.</exception>
    public static string Write(SchemaDialect dialect, PreviewDialect preview, Chain chain, int from, int to, string appRole)
    {
        var sql = new StringBuilder();
        sql.Append($"-- Catalog, {dialect.Folder}: from {chain.RevisionAt(from)} to {chain.RevisionAt(to)}.\n\n")
            .Append(preview.Header(new())).Append('\n');
        if (from == to)
        {
            return sql.Append("-- Nothing to do.\n").ToString();
        }

        sql.Append(dialect.CreateJournalSql).Append(";\n");
        var scripts = from < to ? chain.Scripts.Take(from..to) : chain.Scripts.Take(to..from).Reverse();
        foreach (var script in scripts)
        {
            var place = chain.Position(script.Revision, 0);
            var guard = from < to
                ? preview.Guard(script.Name, present: place > 1 ? chain.Scripts[place - 2].Name : null, absent: script.Name)
                : preview.Guard($"down/{script.Name}", present: script.Name, absent: place < chain.Scripts.Count
                    ? chain.Scripts[place].Name : null);
            Write(sql, preview, script, from < to, guard);
        }

        if (from < to && dialect.GrantSql(appRole, SchemaDescription.Tables(chain)) is { } grant)
        {
            sql.Append($"\n-- Privileges of the service's role.\n{grant};\n");
        }

        return sql.ToString();
    }

    private static void Write(StringBuilder sql, PreviewDialect preview, Script script, bool forward, string guard)
    {
        var file = (forward ? script.Up : script.Down)
            ?? throw new MigrationException(
                MigrationFault.UnknownTarget,
                $"{script.Revision} cannot be reverted: down/{script.Name} does not exist. Restore a backup instead.");
        var direction = forward ? Directions.Upgrade : Directions.Downgrade;
        sql.Append($"\n-- {file.Name}\n");
        if (!file.Transactional)
        {
            sql.Append(guard.Length > 0 ? $"begin;\n{guard}commit;\n" : "").Append(file.Statements[0].Sql).Append(";\n");
        }

        sql.Append("begin;\n").Append(guard);
        if (file.Transactional)
        {
            sql.Append(file.Sql.TrimEnd()).Append(file.Statements.Count == 0 || file.Sql.TrimEnd().EndsWith(';') ? "\n" : "\n;\n");
        }

        sql.Append(forward
            ? $"insert into schemaversions (scriptname, applied, checksum, applied_by, tool_version) values ('{script.Name}', "
                + $"{preview.Now}, '{script.Checksum}', 'sql', '{Journal.ToolVersion}');\n"
            : $"delete from schemaversions where scriptname = '{script.Name}';\n");
        sql.Append("insert into schema_history (scriptname, direction, outcome, at, applied_by, tool_version) values "
            + $"('{script.Name}', '{direction}', 'finished', {preview.Instant}, 'sql', '{Journal.ToolVersion}');\n");
        sql.Append("commit;\n");
    }
}
