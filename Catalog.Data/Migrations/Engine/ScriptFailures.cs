namespace Catalog.Data.Migrations.Engine;

/// <summary>Error messages for a failed script: the line, the server's message, the state of the script, and the fix.</summary>
internal static class ScriptFailures
{
    /// <summary>The server stopped, or an administrator ended the session.</summary>
    public static MigrationException ConnectionLost(SqlFile file, SqlStatement? statement, Exception cause) =>
        new(MigrationFault.ConnectionLost,
        $"{Place(file, statement, null)}: the connection was lost: the server restarted, or someone ended the session. "
            + $"{StateOf(file)} Run this again.", cause);

    /// <summary>The server rejected a statement or the commit.</summary>
    public static MigrationException Rejected(SqlFile file, SqlStatement? statement, StatementError error, Exception cause) =>
        new(MigrationFault.ScriptFailed,
        $"{Place(file, statement, error.Position)}: {error.Message}. {StateOf(file)}"
        + (error.AlreadyExists
            ? " An object of this script already exists: run `catalog-migrations verify` to see the differences; "
              + "if the whole script was applied by hand, run `catalog-migrations stamp` with its revision."
            : "")
        + (error.NotPermitted
            ? " Set DATAXPIPE_MIGRATIONS_DB to an address with a role that has the right, usually the owner of the tables." : ""), cause);

    /// <summary>The driver cannot run the statement at all, such as a copy from standard input.</summary>
    public static MigrationException NotRunnable(SqlFile file, SqlStatement? statement, Exception cause) => new(MigrationFault.ScriptFailed,
        $"{Place(file, statement, null)}: a migration cannot run this statement ({cause.Message.TrimEnd('.')}). {StateOf(file)} Replace "
            + "the statement, for example `copy … from stdin` by `insert`.", cause);

    private static string Place(SqlFile file, SqlStatement? statement, int? position)
    {
        if (statement is null)
        {
            return $"{file.Name} could not be committed";
        }

        var before = position is { } at ? statement.Sql.AsSpan(0, Math.Clamp(at - 1, 0, statement.Sql.Length)).Count('\n') : 0;
        return $"{file.Name} line {statement.Line + before}";
    }

    private static string StateOf(SqlFile file) => file.Transactional
        ? "The whole script was rolled back."
        : "The script runs without a transaction and may be applied in part. The next run of the same command checks its effect.";
}
