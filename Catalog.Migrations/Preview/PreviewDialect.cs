using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Preview;

/// <summary>The engine-specific SQL of a preview.</summary>
internal abstract class PreviewDialect
{
    /// <summary>SQL expression for the current time in UTC, for the journal's column without time zone.</summary>
    internal abstract string Now { get; }

    /// <summary>SQL expression for the current time, for the time column of the history.</summary>
    internal abstract string Instant { get; }

    /// <summary>Returns the start of a preview: a comment on how to run it, and the session's settings.</summary>
    /// <param name="limits">Time limits.</param>
    internal abstract string Header(MigrationLimits limits);

    /// <summary>
    /// Returns a statement that fails if another migrator runs or the database is at another revision; empty if the
    /// engine has no such statement.
    /// </summary>
    /// <param name="file">The script's file.</param>
    /// <param name="present">The script that must be in the journal; null for no such condition.</param>
    /// <param name="absent">The script that must not be in the journal; null for no such condition.</param>
    internal abstract string Guard(string file, string? present, string? absent);

    /// <summary>Returns the dialect of a database's engine.</summary>
    public static PreviewDialect For(DatabaseSettings settings) => settings.Engine == DatabaseEngine.Postgres
        ? new PostgresPreview(new(settings.Schema))
        : new SqlitePreview();
}
