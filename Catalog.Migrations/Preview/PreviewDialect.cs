using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Preview;

/// <summary>What the engines write differently in a preview.</summary>
internal abstract class PreviewDialect
{
    /// <summary>The present in UTC as an expression for the journal's zoneless column.</summary>
    internal abstract string Now { get; }

    /// <summary>The present as an expression for the history's column.</summary>
    internal abstract string Instant { get; }

    /// <summary>What a preview begins with: how it is run, and the session's settings.</summary>
    /// <param name="limits">How patient to be.</param>
    internal abstract string Opening(MigrationLimits limits);

    /// <summary>Stops the preview's script when another migrator runs or the database is elsewhere; empty where the engine has no such statement.</summary>
    /// <param name="file">The script's file.</param>
    /// <param name="present">The script that must be in the journal; null: none need be.</param>
    /// <param name="absent">The script that must not be; null: none.</param>
    internal abstract string Guard(string file, string? present, string? absent);

    /// <summary>The engine's.</summary>
    public static PreviewDialect For(DatabaseSettings settings) => settings.Engine == DatabaseEngine.Postgres
        ? new PostgresPreview(new(settings.Schema))
        : new SqlitePreview();
}
