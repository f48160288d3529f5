using System.Text;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Preview;

/// <summary>Writes down what a migration would send, journal rows included, as SQL that <c>psql</c> or <c>sqlite3</c> can run.</summary>
internal static class MigrationPreview
{
    /// <summary>The SQL that leads from one place of a chain to another; forward or back.</summary>
    /// <param name="dialect">How the engine runs scripts.</param>
    /// <param name="preview">How the engine writes previews.</param>
    /// <param name="chain">The scripts.</param>
    /// <param name="from">The place to begin at; see <see cref="Chain.Position(string, int)"/>.</param>
    /// <param name="to">The place to end at.</param>
    /// <param name="appRole">The role that is given what the service needs, when it exists.</param>
    /// <exception cref="MigrationException">A script on the way back has none.</exception>
    public static string Write(SchemaDialect dialect, PreviewDialect preview, Chain chain, int from, int to, string appRole)
    {
        var sql = new StringBuilder();
        sql.Append($"-- Catalog, {dialect.Folder}: from {chain.RevisionAt(from)} to {chain.RevisionAt(to)}.\n\n").Append(preview.Opening(new())).Append('\n');
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
                : preview.Guard($"down/{script.Name}", present: script.Name, absent: place < chain.Scripts.Count ? chain.Scripts[place].Name : null);
            Write(sql, preview, script, from < to, guard);
        }

        if (from < to && dialect.GrantSql(appRole, SchemaDescription.Tables(chain)) is { } grant)
        {
            sql.Append($"\n-- What the service's role needs.\n{grant};\n");
        }

        return sql.ToString();
    }

    private static void Write(StringBuilder sql, PreviewDialect preview, Script script, bool forward, string guard)
    {
        var file = (forward ? script.Up : script.Down)
            ?? throw new MigrationException(MigrationFault.UnknownTarget, $"{script.Revision} has no way back: there is no down/{script.Name}.");
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
            ? $"insert into schemaversions (scriptname, applied, checksum, applied_by, tool_version) values ('{script.Name}', {preview.Now}, '{script.Checksum}', 'sql', '{Journal.ToolVersion}');\n"
            : $"delete from schemaversions where scriptname = '{script.Name}';\n");
        sql.Append($"insert into schema_history (scriptname, direction, outcome, at, applied_by, tool_version) values ('{script.Name}', '{direction}', 'finished', {preview.Instant}, 'sql', '{Journal.ToolVersion}');\n");
        sql.Append("commit;\n");
    }
}
