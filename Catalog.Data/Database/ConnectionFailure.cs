namespace Catalog.Data.Database;

/// <summary>Why a connection could not be opened.</summary>
/// <param name="Code">A stable code in snake_case.</param>
/// <param name="Message">The reason, with host, port, user and database; never a password.</param>
/// <param name="Action">How to fix it.</param>
public sealed record ConnectionFailure(string Code, string Message, string Action)
{
    /// <summary>Explains an exception that was thrown when a connection was opened.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="which">
    /// How the message names the address, such as <c>The service's address (DATAXPIPE_DB)</c>.
    /// </param>
    /// <param name="settings">The settings with the address.</param>
    /// <returns>The explanation; null when the exception is not a connection failure.</returns>
    public static ConnectionFailure? Find(Exception exception, string which, DatabaseSettings settings) =>
        settings.Engine == DatabaseEngine.Postgres
        ? Postgres.PostgresConnectionFailure.Find(exception, which, settings)
        : Sqlite.SqliteConnectionFailure.Find(exception, which, settings);

    /// <summary>The message and the action as one text.</summary>
    public override string ToString() => $"{Message} {Action}";
}
