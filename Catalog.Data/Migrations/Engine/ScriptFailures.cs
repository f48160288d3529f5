namespace Catalog.Data.Migrations.Engine;

/// <summary>The sentences for a script that failed: the place, what the server said, what is left of the script, and what to do.</summary>
internal static class ScriptFailures
{
    /// <summary>The server went away, or an administrator ended the session.</summary>
    public static MigrationException ConnectionLost(SqlFile file, SqlStatement? statement, Exception cause) => new(MigrationFault.ConnectionLost,
        $"{Place(file, statement, null)}: the connection was lost, by a restart of the server or because somebody ended it. {Left(file)} Run this again.", cause);

    /// <summary>The server refused a statement or the commit.</summary>
    public static MigrationException Refused(SqlFile file, SqlStatement? statement, Refusal said, Exception cause) => new(MigrationFault.ScriptFailed,
        $"{Place(file, statement, said.Position)}: {said.Message}. {Left(file)}"
        + (said.AlreadyExists
            ? " Something that this script makes is there already: look with `catalog-migrations verify`; "
              + "if all of the script was applied by hand, `catalog-migrations stamp` its revision."
            : "")
        + (said.NotPermitted ? " Set DATAXPIPE_MIGRATIONS_DB to an address of a role that may, usually the tables' owner." : ""), cause);

    /// <summary>The driver cannot run the statement at all, such as a copy from standard input.</summary>
    public static MigrationException NotRunnable(SqlFile file, SqlStatement? statement, Exception cause) => new(MigrationFault.ScriptFailed,
        $"{Place(file, statement, null)}: this statement cannot be run by a migration ({cause.Message.TrimEnd('.')}). {Left(file)}", cause);

    private static string Place(SqlFile file, SqlStatement? statement, int? position)
    {
        if (statement is null)
        {
            return $"{file.Name} could not be committed";
        }

        var before = position is { } at ? statement.Sql.AsSpan(0, Math.Clamp(at - 1, 0, statement.Sql.Length)).Count('\n') : 0;
        return $"{file.Name} line {statement.Line + before}";
    }

    private static string Left(SqlFile file) => file.Transactional
        ? "The whole script was undone."
        : "It runs without a transaction; `catalog-migrations upgrade` finds out what is left of it.";
}
