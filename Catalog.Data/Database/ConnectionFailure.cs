namespace Catalog.Data.Database;

/// <summary>Why no connection was made.</summary>
/// <param name="Code">Stable, in snake_case.</param>
/// <param name="Message">With host, port, user and database, never a password.</param>
/// <param name="Action">What to do.</param>
public sealed record ConnectionFailure(string Code, string Message, string Action)
{
    /// <summary>Explains an exception that opening a connection has thrown.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="which">The address in words, such as <c>The service's address (DATAXPIPE_DB)</c>.</param>
    /// <param name="settings">The address.</param>
    /// <returns>Null when the exception says something else.</returns>
    public static ConnectionFailure? Find(Exception exception, string which, DatabaseSettings settings) => settings.Engine == DatabaseEngine.Postgres
        ? Postgres.PostgresFailure.Find(exception, which, settings)
        : Sqlite.SqliteFailure.Find(exception, which, settings);

    /// <summary>The message and what to do, as one text.</summary>
    public override string ToString() => $"{Message} {Action}";
}
