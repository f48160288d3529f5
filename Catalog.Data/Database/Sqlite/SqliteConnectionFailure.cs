using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

/// <summary>Explains why a SQLite file cannot be opened, and how to fix it.</summary>
internal static class SqliteConnectionFailure
{
    /// <inheritdoc cref="ConnectionFailure.Find"/>
    public static ConnectionFailure? Find(Exception exception, string which, DatabaseSettings settings) => exception switch
    {
        SqliteException { SqliteErrorCode: 11 or 26 } =>
            new("not_a_database", $"{which}: {settings.SqlitePath} is not a SQLite database, or is damaged.",
                "Name another file, or restore a backup."),
        SqliteException { SqliteErrorCode: 10 or 14 or 8 or 3 } or UnauthorizedAccessException =>
            new("file_unusable", $"{which}: {settings.SqlitePath} cannot be opened or written{FileRights.OwnerOf(settings.SqlitePath!)}.",
                "Check that this user can read and write the file and its folder."),
        SqliteException { SqliteErrorCode: 5 or 6 } =>
            new("timed_out", $"{which}: another process has locked {settings.SqlitePath}.", "Wait until that process is done, or end it."),
        _ => null,
    };
}
